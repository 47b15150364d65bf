"""A region with the model server in it is lost, and callers are served from another one: everything is real.

Two model servers that load all-MiniLM-L6-v2, HAProxy before them, three S3 regions, callers who ask all the time, and
`drctl` as a person types it. The tests build on each other in the order of the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml
from tenacity import Retrying, stop_after_delay, wait_fixed

from dr_lib.clock import monotonic, utc_now
from dr_lib.demo import assets
from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.model.serving import LeasePolicy, Site
from dr_lib.runtime import Runtime
from dr_lib.use_cases import key_files
from dr_lib.vault.leases import newest_lease
from dr_lib.workflows.failover.holding import Claim, take_lease
from tests.load import Load
from tests.stack.haproxy import Proxy, haproxy
from tests.stack.servers import free_port

pytestmark = pytest.mark.timeout(600)
REGIONS = ("us-east", "eu-west", "ap-south")
QUESTION = {"texts": ["The region is gone.", "Where is the model?"]}
OUTSIDE = 0.99


class ModelServer:
    """The reference server as a process of its own; killed, it may be started again on its port."""

    def __init__(self, directory: Path, log: Path) -> None:
        self.directory, self.port = directory, free_port()
        self._log, self._process = log, None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "dr_lib.demo.model_server", "--directory", self.directory, "--port", self.port]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(word) for word in command], env=os.environ | {"HF_HUB_OFFLINE": "1"}, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def answers(self) -> Any:
        """What it says to the question, once it listens and has a model."""
        for attempt in Retrying(stop=stop_after_delay(120), wait=wait_fixed(0.2), reraise=True):
            with attempt:
                answer = httpx.post(f"{self.url}/embed", json=QUESTION, timeout=30, trust_env=False)
                assert answer.status_code == 200, answer.text
        return answer.json()


@dataclass
class Stage:
    """What there is; `golden` are the right answers."""

    home: Path
    regions: dict[str, SeaweedRegion]
    servers: dict[Site, ModelServer]
    proxy: Proxy
    environ: dict[str, str]
    golden: list[list[float]] = field(default_factory=list)

    def runtime(self) -> Runtime:
        return Runtime.load(self.home / "dr.yaml", environ=os.environ | self.environ)

    def drctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dr_lib.cli", "--config", str(self.home / "dr.yaml"), *words]
        environ = os.environ | self.environ
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=400, check=False)

    def callers(self) -> Load:
        return Load(f"http://127.0.0.1:{self.proxy.front}/embed", QUESTION, self.is_right)

    def is_right(self, answer: httpx.Response) -> bool:
        return np.allclose(answer.json()["embeddings"], self.golden, atol=1e-3)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("failover")
    with ExitStack() as running:
        regions = {name: running.enter_context(_region(home, name)) for name in REGIONS}
        assets.stage_model(home / "primary" / "live")
        (home / "primary" / "current").symlink_to("live")
        servers = {site: ModelServer(home / site / "current", home / f"{site}.log") for site in Site}
        for server in servers.values():
            running.callback(server.kill)
            server.start()
        ports = {site.value: server.port for site, server in servers.items()}
        proxy = running.enter_context(haproxy(home / "proxy", servers=ports))
        made = Stage(home, regions, servers, proxy, _environ(home, regions))
        _configure(made)
        made.golden = servers[Site.PRIMARY].answers()["embeddings"]
        runtime = made.runtime()
        runtime.initialize()
        runtime.backup("minilm")
        runtime.verify("minilm")
        yield made


@contextmanager
def _region(home: Path, name: str) -> Iterator[SeaweedRegion]:
    region = SeaweedRegion(home / "regions" / name, f"{name}-key", f"{name}-secret")
    region.start()
    try:
        yield region
    finally:
        region.stop()


def _environ(home: Path, regions: dict[str, SeaweedRegion]) -> dict[str, str]:
    found = {"DR_CACHE_DIR": str(home / "cache"), "DR_KIT": "none", "DR_STATE_DIR": str(home / "state")}
    for name, region in regions.items():
        prefix = f"DR_{name.replace('-', '_').upper()}"
        found |= {f"{prefix}_ACCESS_KEY_ID": region.access_key, f"{prefix}_SECRET_ACCESS_KEY": region.secret_key}
    return found


def _configure(stage: Stage) -> None:
    protection = yaml.safe_load(key_files.generate_keys(stage.home / "keys")["yaml"])
    where = {
        site: {"url": one.url, "directory": str(stage.home / site), "reload": "/reload"}
        for site, one in stage.servers.items()
    }
    document = {
        "regions": {
            name: {
                "url": f"s3://dr-{name}",
                "endpoint": region.endpoint,
                "credentials": f"env:DR_{name.replace('-', '_').upper()}",
            }
            for name, region in stage.regions.items()
        },
        **protection,
        "assets": {
            "minilm": {
                "kind": "model",
                "source": str(stage.home / "primary" / "live"),
                "regions": list(REGIONS),
                "smoke": {"loader": "sentence-transformers"},
            }
        },
        "serving": {
            "api": {
                "asset": "minilm",
                "url": f"http://127.0.0.1:{stage.proxy.front}",
                "primary": where[Site.PRIMARY],
                "standby": where[Site.STANDBY],
                "health": {"interval": "200ms", "timeout": "5s", "answers": "answers.jsonl"},
                "switch": {
                    "kind": "haproxy",
                    "address": f"unix:{stage.proxy.socket}",
                    "backend": stage.proxy.backend,
                    "primary": "primary",
                    "standby": "standby",
                },
            }
        },
    }
    (stage.home / "dr.yaml").write_text(json.dumps(document))
    (stage.home / "questions.jsonl").write_text(json.dumps({"path": "/embed", "request": QUESTION}) + "\n")


def test_the_answers_of_today_are_kept_to_compare_with(stage: Stage):
    questions, out = str(stage.home / "questions.jsonl"), str(stage.home / "answers.jsonl")
    done = stage.drctl("serving", "record", "api", "--questions", questions, "--out", out)
    assert done.returncode == 0, done.stderr
    found = json.loads(stage.drctl("--json", "serving", "status").stdout)
    (api,) = found["endpoints"]
    assert (api["traffic"], api["sites"]["primary"]["verdict"], api["problem"]) == ("primary", "healthy", "")
    assert api["sites"]["standby"]["verdict"] == "down"


def test_a_primary_that_answers_rightly_is_not_left(stage: Stage):
    done = stage.drctl("failover", "api", "--reason", "by mistake", "--yes")
    assert done.returncode == 7
    assert "the primary serves and answers rightly" in done.stderr
    assert "--planned" in done.stderr


def test_the_region_is_gone_and_callers_are_served_again(stage: Stage):
    with stage.callers() as load:
        gone = monotonic()
        stage.servers[Site.PRIMARY].kill()
        stage.regions["us-east"].stop()
        done = stage.drctl("--json", "failover", "api", "--reason", "us-east is gone", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        answered = load.calls[-1].ended
    told = json.loads(done.stdout)
    assert (told["moved"], told["from"], told["to"], told["warnings"]) == (True, "primary", "standby", [])
    assert list(told["phases"]) == ["restore", "smoke", "load", "prove", "switch", "confirm"]
    assert told["smoke"]["passed"]
    assert told["region"] in ("eu-west", "ap-south")
    assert set(told["events"]) == {"eu-west", "ap-south"}
    back = min(call.ended for call in load.calls if call.is_right and call.begun > gone + 1)
    assert back < answered
    assert load.share_outside(gone, back) >= OUTSIDE
    assert told["outage"]["is_over"]
    assert 0 < told["outage"]["seconds"] <= told["seconds"]
    assert load.bad(), "the outage was real"


def test_the_standby_serves_what_was_restored(stage: Stage):
    place = stage.home / "standby" / "current"
    assert place.is_symlink()
    health = httpx.get(f"http://127.0.0.1:{stage.proxy.front}/healthz", trust_env=False).json()
    assert health["model"] == place.readlink().name
    assert json.loads(stage.drctl("--json", "serving", "status").stdout)["endpoints"][0]["traffic"] == "standby"


def test_while_somebody_else_holds_the_lease_nothing_moves(stage: Stage):
    stage.regions["us-east"].start()
    vaults = [stage.runtime()._wiring.vault(name) for name in REGIONS]
    last = newest_lease(vaults[1], "api")
    assert last is not None
    assert last.done == "moved"
    policy = stage.runtime().config.endpoint("api").lease
    assert isinstance(policy, LeasePolicy)
    claim = Claim("api", "another operator", Site.PRIMARY, last.point, "at the same time")
    with take_lease(vaults, policy, claim, utc_now) as theirs:
        done = stage.drctl("failback", "api", "--reason", "us-east is back", "--yes")
        assert done.returncode == 7
        assert "another operator holds it" in done.stderr
        theirs.end("given up")
    assert json.loads(stage.drctl("--json", "serving", "status").stdout)["endpoints"][0]["traffic"] == "standby"


def test_failing_back_loses_no_request(stage: Stage):
    stage.servers[Site.PRIMARY].start()
    with stage.callers() as load:
        done = stage.drctl("--json", "failback", "api", "--reason", "us-east is back", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["moved"], told["to"], told["smoke"]["passed"]) == (True, "primary", True)
    assert load.bad() == []
    assert len(load.calls) > 20
    assert told["outage"]["seconds"] == 0
    current = (stage.home / "primary" / "current").readlink().name
    assert current.startswith(told["point"]), "the same proof: what it serves was restored"


def test_what_happened_is_kept_in_every_vault(stage: Stage):
    runtime = stage.runtime()
    for name in REGIONS[1:]:
        vault = runtime._wiring.vault(name)
        kinds = [event.kind for event in vault.events("minilm") if event.kind.startswith("fail")]
        assert kinds == ["failover", "failback"]
    assert runtime.verify("minilm")["ok"]
