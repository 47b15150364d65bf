"""Bytes to encoded bytes and back. A codec's id is part of the format: its decoder lives for ever."""
