"""The parts of the conformance kit, one theme a module; ``BackendConformance`` joins them."""
