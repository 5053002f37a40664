"""One HTTP call to a provider: its deadline, its limits, and what its failure proves."""
