"""Verification: look at a vault's copies again, and leave the result in the vault, where no catalog can lose it."""
