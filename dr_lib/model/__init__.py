"""Frozen facts: what the system talks about, with no behaviour beyond their own consistency."""
