"""Backing up: plan, shards, proof, commit. Each step may run in another process; they meet in the vault's `runs/`."""
