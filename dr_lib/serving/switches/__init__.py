"""The kinds of switch."""
