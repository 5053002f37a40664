"""The way of a text to the provider."""
