"""A stand-in for the `docker` client, where no engine runs: `run` really runs the command, as a process of ours.

It has no image, mounts nothing and cuts no network: it takes the arguments that docker takes, gives the command no
environment but what it was told, and keeps a list of containers that `ps` and `rm` work on. Its folder is beside it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

STATE = Path(sys.argv[0]).parent / "containers"
SWITCHES = {"--rm", "--interactive", "--read-only", "--all", "--no-trunc", "--force", "--volumes"}


def parse(arguments: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    options: dict[str, list[str]] = {}
    while arguments and arguments[0].startswith("--"):
        name = arguments.pop(0)
        options.setdefault(name, []).append("" if name in SWITCHES else arguments.pop(0))
    return options, arguments


def run(options: dict[str, list[str]], words: list[str]) -> int:
    image, *command = words
    assert "@sha256:" in image, image
    (name,) = options["--name"]
    for mount in options.get("--mount", []):
        source = dict(field.partition("=")[::2] for field in mount.split(","))["source"]
        assert Path(source).is_dir(), source
    (folder,) = options["--workdir"]
    (entrypoint,) = options["--entrypoint"]
    # The image's `python` is the one that runs the tests.
    program = [os.environ.get("STAND_IN_PYTHON", sys.executable) if entrypoint == "python" else entrypoint, *command]
    child = subprocess.Popen(program, cwd=folder, env={"PATH": os.defpath}, start_new_session=True)
    record = {"pid": child.pid, "labels": options["--label"], "argv": sys.argv[1:]}
    (STATE / name).write_text(json.dumps(record))
    (STATE.parent / "log").open("a").write(json.dumps(record) + "\n")
    returncode = child.wait()
    if "--rm" in options:
        (STATE / name).unlink(missing_ok=True)
    return 128 - returncode if returncode < 0 else returncode


def ps(options: dict[str, list[str]], _words: list[str]) -> int:
    (wanted,) = (text.removeprefix("label=") for text in options["--filter"])
    for path in sorted(STATE.iterdir()):
        labels = dict(label.partition("=")[::2] for label in json.loads(path.read_text())["labels"])
        key, _, value = wanted.partition("=")
        if key in labels and value in ("", labels[key]):
            print(path.name, labels["dr.standby.owner"])
    return 0


def rm(_options: dict[str, list[str]], words: list[str]) -> int:
    for name in words:
        if (STATE / name).exists():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(json.loads((STATE / name).read_text())["pid"], signal.SIGKILL)
            (STATE / name).unlink(missing_ok=True)
    return 0


if __name__ == "__main__":
    if (STATE.parent / "broken").exists():
        sys.exit(print("Cannot connect to the Docker daemon", file=sys.stderr) or 125)
    sys.exit({"run": run, "ps": ps, "rm": rm}[sys.argv[1]](*parse(sys.argv[2:])))
