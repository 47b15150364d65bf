"""The catalog in SQL: a cache of what the regions were seen to hold (ADR 17)."""
