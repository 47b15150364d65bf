"""Versioned bytes of every record in a vault. FORMAT.md describes them; nothing here does I/O."""
