"""The world that a runbook is read in: three real regions, sealed and signed, a dr.yaml, and what goes wrong there."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import yaml
from safetensors.numpy import load_file, save_file

from dr_lib.clock import utc_now
from dr_lib.crypto import key_text
from dr_lib.demo import assets
from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.model.serving import Site
from dr_lib.runtime import Runtime
from dr_lib.use_cases import key_files
from tests.runbooks import worlds_changes, worlds_incidents, worlds_orchestrator, worlds_serving
from tests.runbooks.shell_session import ShellSession
from tests.runbooks.world_parts import TABLES, backup, bucket_of, merged, tables
from tests.toy_server import ToyServer

REGIONS = ("us-east", "eu-west", "ap-south")
MODEL = {**TABLES, "kind": "model", "smoke": {"loader": "sentence-transformers"}}

WIDTH = 8
WIDTHS = {384, 1536}  # of the model as it is


@dataclass
class RunbookWorld:
    """`names` are values for a runbook's fill-in blocks; `paths` maps paths that it shows to those of this world.

    What is put into `running` ends with the test.
    """

    folder: Path
    regions: dict[str, SeaweedRegion]
    names: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    live: dict[str, Path] = field(default_factory=dict)
    servers: dict[Site, ToyServer] = field(default_factory=dict)
    running: ExitStack = field(default_factory=ExitStack)
    session: ShellSession = field(init=False)

    def __post_init__(self) -> None:
        self.session = ShellSession(self.folder)
        self.names |= {"DR_CONFIG": str(self.config), "SECRETS": str(self.folder / "secrets.env")}
        self.names |= {"NOTES": str(self.folder / "incident"), "TARGET": str(self.folder / "restored")}
        (self.folder / "secrets.env").write_text("".join(f"{name}={value}\n" for name, value in _secrets(self.regions)))
        made = key_files.generate_keys(self.keys)
        self.names |= {"KEYS": str(self.keys)}
        document = _document(self.regions) | yaml.safe_load(made["yaml"])
        self.config.write_text(yaml.safe_dump(document, sort_keys=False))

    @property
    def keys(self) -> Path:
        """The four key files, which dr.yaml names."""
        return self.folder / "keys"

    @property
    def config(self) -> Path:
        """The dr.yaml that the reader uses."""
        return self.folder / "dr.yaml"

    def own(self, asset: str, kind: dict[str, Any], stage: Callable[[Path], None]) -> None:
        """Stage a live asset and protect it."""
        self.stage(asset, stage)
        self.add_asset(yaml.safe_dump({asset: {**kind, "source": self.live[asset].as_uri()}}, sort_keys=False))
        self.names["ASSET"] = asset

    def stage(self, asset: str, stage: Callable[[Path], None]) -> None:
        """Put a live asset in place that nothing protects yet."""
        self.live[asset] = self.folder / "live" / asset
        self.live[asset].mkdir(parents=True)
        stage(self.live[asset])

    def add_asset(self, text: str) -> None:
        """Write lines under `assets:`, as a person with an editor does."""
        self.add("assets", text)

    def add(self, section: str, text: str) -> None:
        """Write lines under a section of dr.yaml; what stands there already and is not named stays."""
        document = yaml.safe_load(self.config.read_text())
        added = merged(document.get(section, {}), yaml.safe_load(self.in_this_world(text)))
        self.config.write_text(yaml.safe_dump(document | {section: added}, sort_keys=False))

    def value(self, name: str) -> str | None:
        """What a person would put in for a name of a fill-in block now; None for a name that means nothing here."""
        if name in ("BAD", "PLANNED"):
            return self._newest_quarantined()
        return self._oldest_point() if name == "GOOD" else self.names.get(name)

    def _newest_quarantined(self) -> str:
        return str(self.runtime.quarantined(self.names["ASSET"])[0]["point"])

    def _oldest_point(self) -> str:
        return str(self.runtime.points(self.names["ASSET"])[-1]["point"])

    def in_this_world(self, text: str) -> str:
        """`text` with the paths of this world where the runbook shows its own."""
        for shown, real in self.paths.items():
            text = text.replace(shown, real)
        return text

    def as_shown(self, text: str) -> str:
        """The inverse of `in_this_world`; the longest path first, for one may lie in another."""
        for shown, real in sorted(self.paths.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(real, shown)
        return text

    @property
    def runtime(self) -> Runtime:
        """What somebody else works with meanwhile, with the credentials of all regions and every key."""
        return Runtime.load(self.config, environ=dict(_secrets(self.regions)))

    def secrets(self) -> dict[str, str]:
        """The credentials of all regions, as variables."""
        return dict(_secrets(self.regions))

    def happen(self, what: str) -> None:
        """Make an event of a runbook happen; a `KeyError` for one that nobody taught this world."""
        for pattern, event in EVENTS.items():
            if found := re.fullmatch(pattern, what):
                return event(self, **found.groupdict())
        raise KeyError(f"no world knows how this happens: {what}")


def small_model(directory: Path) -> None:
    """all-MiniLM-L6-v2 with its tokenizer, cut down to one narrow layer of random weights: it loads and answers."""
    assets.stage_model(directory)
    _edit(
        directory / "config.json",
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
    )
    _edit(directory / "1_Pooling" / "config.json", word_embedding_dimension=WIDTH)
    weights, random = directory / "model.safetensors", np.random.default_rng(7)
    cut = {
        name: random.standard_normal([WIDTH if size in WIDTHS else size for size in tensor.shape], dtype=np.float32)
        for name, tensor in load_file(weights).items()
        if ".layer." not in name or ".layer.0." in name
    }
    save_file(cut, weights, metadata={"format": "pt"})


def _edit(path: Path, **values: int) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def _stop(world: RunbookWorld, region: str) -> None:
    world.regions[region].stop()


def _start(world: RunbookWorld, region: str) -> None:
    world.regions[region].start()


def _empty(world: RunbookWorld, region: str) -> None:
    shutil.rmtree(world.regions[region].data_dir)


def _overwrite(world: RunbookWorld, asset: str) -> None:
    """A fine-tune that went wrong: every file is whole and loads, and the answers are others."""
    weights = world.live[asset] / "model.safetensors"
    tensors = load_file(weights)
    name = next(name for name in tensors if name.endswith("word_embeddings.weight"))
    tensors[name] = tensors[name][::-1].copy()
    save_file(tensors, weights, metadata={"format": "pt"})


def _encrypt(world: RunbookWorld, asset: str) -> None:
    """Ransomware: random bytes over every file, each as long as it was."""
    for path in world.live[asset].iterdir():
        path.write_bytes(os.urandom(path.stat().st_size))


def _drop_column(world: RunbookWorld, asset: str) -> None:
    path = world.live[asset] / "reviews.parquet"
    pq.write_table(pq.read_table(path).drop_columns("stars"), path)


def _damage(world: RunbookWorld, asset: str, region: str) -> None:
    """One bit turns in the largest pack, which holds the weights."""
    s3, bucket = bucket_of(world, region)
    found = max(s3.list_objects_v2(Bucket=bucket, Prefix="packs/")["Contents"], key=lambda entry: entry["Size"])
    pack = bytearray(s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    pack[len(pack) // 2] ^= 1
    s3.put_object(Bucket=bucket, Key=found["Key"], Body=bytes(pack))


def _wait_for_the_grace_period(world: RunbookWorld) -> None:
    """In this world it is some seconds: nothing happens at its end that could be awaited."""
    planned = max(w["due_at"] for r in world.runtime.prune()["regions"] for w in (*r["waiting"], *r["due"]))
    Event().wait(max(0.0, (datetime.fromisoformat(planned) - utc_now()).total_seconds()))


def _backup_unasked(world: RunbookWorld, asset: str) -> None:
    """A backup of what nobody will compare with: its answers are not recorded, which spares loading the model."""
    document = yaml.safe_load(world.config.read_text())
    document["assets"][asset].pop("smoke", None)
    silent = world.folder / "without-smoke.yaml"
    silent.write_text(yaml.safe_dump(document))
    Runtime.load(silent, environ=dict(_secrets(world.regions))).backup(asset)


def _lose_key(world: RunbookWorld) -> None:
    (world.keys / "ops.agekey").unlink()


EVENTS: dict[str, Callable[..., None]] = {
    r"the key of operations is lost": _lose_key,
    r"region (?P<region>[a-z-]+) stops": _stop,
    r"region (?P<region>[a-z-]+) starts": _start,
    r"region (?P<region>[a-z-]+) loses its data": _empty,
    r"a bad training run overwrites the live (?P<asset>\w+)": _overwrite,
    r"the live (?P<asset>\w+) is encrypted": _encrypt,
    r"a planned change drops a column of (?P<asset>\w+)": _drop_column,
    r"a stored pack of (?P<asset>\w+) in (?P<region>[a-z-]+) is damaged": _damage,
    r"the grace period passes": _wait_for_the_grace_period,
    r"the schedule backs (?P<asset>\w+) up": _backup_unasked,
    **worlds_incidents.EVENTS,
    **worlds_changes.EVENTS,
    **worlds_orchestrator.EVENTS,
    **worlds_serving.EVENTS,
}


def region_lost(world: RunbookWorld) -> None:
    """A dataset with verified copies in three regions."""
    world.own("reviews", TABLES, tables)
    kept = world.regions["eu-west"]
    world.names |= {"LOST": "us-east", "BUCKET": "s3://dr-eu-west", "ENDPOINT": kept.endpoint}
    world.names |= {"BARE_ACCESS_KEY_ID": kept.access_key, "BARE_SECRET_ACCESS_KEY": kept.secret_key}
    world.names |= {"IDENTITY": str(world.keys / "ops.agekey")}
    world.runtime.initialize()
    backup(world, "reviews")


def model_corrupted(world: RunbookWorld) -> None:
    """A model with verified copies in two regions."""
    world.own("minilm", {**MODEL, "regions": ["us-east", "eu-west"]}, small_model)
    world.names |= {"LIVE": str(world.live["minilm"])}
    world.runtime.initialize()
    backup(world, "minilm")


def backup_quarantined(world: RunbookWorld) -> None:
    """A dataset with verified copies in three regions."""
    world.own("reviews", TABLES, tables)
    world.names |= {"LIVE": str(world.live["reviews"])}
    world.runtime.initialize()
    backup(world, "reviews")


def new_asset(world: RunbookWorld) -> None:
    """Vaults that hold nothing yet, and a dataset that nobody protects."""
    world.stage("reviews", tables)
    world.names |= {"ASSET": "reviews"}
    world.paths |= {"/srv/data/reviews": str(world.live["reviews"])}
    world.runtime.initialize()


def key_lost(world: RunbookWorld) -> None:
    """A dataset with verified copies in three regions, and the escrow key on three papers, of which two do."""
    paper, ops = world.folder / "paper", key_text.in_file((world.keys / "ops.agekey").read_text())
    key_files.store_pages(paper, *key_files.escrow_pages(world.keys / "escrow.agekey", "2-of-3"))
    for page in paper.iterdir():
        page.rename(page.with_name(page.name.replace("-of-3", "")))
    (world.keys / "escrow.agekey").unlink()
    world.own("reviews", TABLES, tables)
    world.names |= {"PAPER": str(paper), "LOST": ops.public}
    world.runtime.initialize()
    backup(world, "reviews")


def store_full(world: RunbookWorld) -> None:
    """Three verified points of which the policy keeps one, a lock of a day in one region, a grace period of seconds."""
    nothing = {"hourly": 0, "daily": 0, "weekly": 0, "monthly": 0, "last": 1, "keep_within": None}
    world.own("reviews", {**TABLES, "retention": nothing}, tables)
    document = yaml.safe_load(world.config.read_text())
    world.config.write_text(yaml.safe_dump(document | {"prune": {"grace": "10s"}}, sort_keys=False))
    world.runtime.initialize()
    for number in range(3):
        backup(world, "reviews")
        (world.live["reviews"] / f"more {number}.csv").write_text("id,stars\n1,2\n")


WORLDS: dict[str, Callable[[RunbookWorld], None]] = {
    "backup-quarantined": backup_quarantined,
    "key-lost": key_lost,
    "region-lost": region_lost,
    "model-corrupted": model_corrupted,
    "new-asset": new_asset,
    "store-full": store_full,
    **worlds_incidents.WORLDS,
    **worlds_changes.WORLDS,
    **worlds_orchestrator.WORLDS,
    **worlds_serving.WORLDS,
}


def _document(regions: dict[str, SeaweedRegion]) -> dict[str, Any]:
    stores: dict[str, Any] = {
        name: {"url": f"s3://dr-{name}", "endpoint": region.endpoint, "credentials": f"env:{_prefix(name)}"}
        for name, region in regions.items()
    }
    stores["ap-south"]["lock"] = {"mode": "governance", "days": 1}
    return {"version": 1, "regions": stores, "assets": {}}


def _secrets(regions: dict[str, SeaweedRegion]) -> list[tuple[str, str]]:
    return [
        (f"{_prefix(name)}_{kind}", value)
        for name, region in regions.items()
        for kind, value in (("ACCESS_KEY_ID", region.access_key), ("SECRET_ACCESS_KEY", region.secret_key))
    ]


def _prefix(region: str) -> str:
    return f"DR_{region.upper().replace('-', '_')}"
