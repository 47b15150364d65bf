"""Listings of a bucket into which somebody put keys that no vault and no path would have."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest

from dr_lib.storage.credentials import Credentials
from dr_lib.storage.s3 import S3Store
from dr_lib.storage.s3_clients import Bucket

PAGE = 2
"""Keys of a page of the little server below; real ones refuse some of the keys that AWS takes."""
ENTRY = (
    "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
    "<ETag>&quot;tag&quot;</ETag><Size>1</Size></Contents>"
)


class Listed(ThreadingHTTPServer):
    """Answers every listing from `keys`, and nothing else."""

    def __init__(self, keys: list[str]) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.keys = keys

    def page(self, query: dict[str, list[str]]) -> str:
        prefix, start = query.get("prefix", [""])[0], int(query.get("continuation-token", ["0"])[0])
        found = [key for key in self.keys if key.startswith(prefix)]
        entries = "".join(ENTRY.format(key=escape(key)) for key in found[start : start + PAGE])
        more = start + PAGE < len(found)
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
        return f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>{token}{entries}</ListBucketResult>"


class Answering(BaseHTTPRequestHandler):
    server: Listed

    def do_GET(self) -> None:
        body = self.server.page(parse_qs(urlsplit(self.path).query)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Listed]:
    server = Listed([])
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def store(server: Listed, *, foreign: bool = False) -> S3Store:
    bucket = Bucket("bucket", f"http://127.0.0.1:{server.server_port}", Credentials("key", "secret"))
    return S3Store(bucket, "region us-east", foreign=foreign)


@pytest.mark.parametrize("odd", ["packs/02//b", "packs/02/../b", "packs/02/./b", "packs/02\x7fb"])
def test_an_odd_key_hides_no_object_of_the_vault(served: Listed, odd: str):
    packs = [f"packs/{number:02d}" for number in range(5)]
    served.keys = [*packs[:3], odd, *packs[3:]]
    found = [info.key for info in store(served).list("packs/")]
    assert found == sorted(served.keys)
    assert [info.key for info in store(served, foreign=True).list("packs/")] == found


def test_an_odd_key_is_no_reason_to_call_the_bucket_unreadable(served: Listed):
    served.keys = ["a//b"]
    store(served).check()


def test_a_foreign_listing_tells_a_marker_from_an_object(served: Listed):
    served.keys = ["folder", "folder/", "folder/file"]
    assert [info.key for info in store(served, foreign=True).list()] == served.keys
