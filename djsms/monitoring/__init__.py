"""What monitoring asks for: how the queue stands, in figures, and whether all is well."""
