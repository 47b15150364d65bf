"""Loaders: from a restored directory to something that answers. Each imports its library when it is asked for."""

from dr_lib.standby.smoke.loaders.base import LoadedModel, Rows
from dr_lib.standby.smoke.loaders.registry import load

__all__ = ["LoadedModel", "Rows", "load"]
