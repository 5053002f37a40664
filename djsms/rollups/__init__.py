"""What the messages of each hour come to: sums that stay small, kept by ``djsms tidy``."""
