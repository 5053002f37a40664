"""What can be done to the messages of the list: a module each, which asks before it does it."""
