"""Texts that wait: stored with a due time, let through by gates, claimed, sent by workers."""
