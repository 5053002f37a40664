"""What providers call: status reports and incoming texts."""
