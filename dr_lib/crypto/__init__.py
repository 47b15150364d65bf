"""Sealing, wrapping and signing: what keeps a vault's content from its keeper, and forgeries from its readers."""
