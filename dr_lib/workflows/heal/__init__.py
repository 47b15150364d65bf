"""Healing: what is damaged or missing in one vault is put back from bytes that are proven, and kept aside first."""
