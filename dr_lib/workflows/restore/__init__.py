"""Restoring: choose files, plan ranges, fetch into a staging directory, check, rename into place."""
