"""Which points and copies exist, recomputed from what the regions hold."""
