"""Keeping keys: making them, seeing who opens what, and wrapping run keys to other people."""
