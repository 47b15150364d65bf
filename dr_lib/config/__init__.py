"""From a `dr.yaml` to the frozen configuration, or to every problem in it at once."""

from dr_lib.config.load import config_path, load_config
from dr_lib.config.problems import ConfigError, Problem

__all__ = ["ConfigError", "Problem", "config_path", "load_config"]
