"""For those who test: projects that send texts, and authors of backends."""
