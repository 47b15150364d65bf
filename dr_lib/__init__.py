"""Backup and proven disaster recovery for model weights and datasets."""

__version__ = "0.1.0"
