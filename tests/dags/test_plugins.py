"""The plugins folder as every Airflow component loads it."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path


def test_every_module_of_the_package_can_be_imported():
    import dr_airflow

    names = [module.name for module in pkgutil.iter_modules(dr_airflow.__path__)]
    assert "operators" in names
    for name in names:
        importlib.import_module(f"dr_airflow.{name}")


def test_airflow_takes_the_page_and_no_module_of_the_package_for_a_plugin(airflow_home):
    from airflow._shared.module_loading import find_path_from_directory
    from airflow.configuration import conf

    folder = conf.get_mandatory_value("core", "plugins_folder")
    found = [Path(path).name for path in find_path_from_directory(folder, ".airflowignore", "glob")]
    assert [name for name in found if name.endswith(".py")] == ["dr_page.py"]
    assert "operators" not in {name.partition(".")[0] for name in found}
