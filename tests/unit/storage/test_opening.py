import subprocess
import sys
from pathlib import Path

import pytest

from dr_lib.errors import UsageError
from dr_lib.model.region import StoreRef
from dr_lib.storage.opening import open_store

LISTED = """
import sys
import dr_lib.storage.opening
print([name for name in ("boto3", "botocore", "obstore", "rclone_python") if name in sys.modules])
"""


def test_importing_it_imports_no_client_library() -> None:
    done = subprocess.run([sys.executable, "-c", LISTED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_directory_by_path_or_url(tmp_path: Path, form: str) -> None:
    (tmp_path / "a b").mkdir()
    path = str(tmp_path / "a b")
    url = form.format(path if form == "{}" else path.replace(" ", "%20"))
    store = open_store(StoreRef(url), "region nas", environ={})
    store.create("key", b"x")
    assert (tmp_path / "a b" / "key").read_bytes() == b"x"
    assert store.label == "region nas"


@pytest.mark.parametrize(
    "url", ["gs://bucket", "s3://", "s3:///prefix", "s3:bucket", "file://host/dir", "rclone:remote", "file:relative"]
)
def test_what_names_no_store_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError, match="region x"):
        open_store(StoreRef(url), "region x", environ={})


def test_credentials_of_an_rclone_remote_are_refused() -> None:
    with pytest.raises(UsageError, match="rclone"):
        open_store(StoreRef("rclone:remote:dir", credentials="env:X"), "region x", environ={})


def test_missing_credentials_show_when_the_store_is_opened() -> None:
    with pytest.raises(UsageError, match="X_ACCESS_KEY_ID"):
        open_store(StoreRef("s3://bucket", credentials="env:X"), "region x", environ={})
