"""Environments that a restore lands in, and the test that proves what landed there. Cheap to import."""
