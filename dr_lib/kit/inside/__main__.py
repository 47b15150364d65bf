"""Recovery kit: list, verify and restore a vault with Python 3.10 to 3.14 on Linux (x86-64, aarch64), and nothing else.

Nothing is installed and nothing is fetched but the vault itself. What the kit carries is unpacked into a directory
for temporary files (TMPDIR) and removed at the end. Exit codes: 0 done, 2 wrong command, 4 damaged or forged bytes,
5 not there, 6 the store or the machine failed, 7 refused.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import unpacking

EXAMPLES = """examples:
  python3 kit.pyz --vault /mnt/vault --key escrow.agekey list
  python3 kit.pyz --vault s3://dr-eu-west --endpoint https://s3.example.net --key escrow.agekey verify minilm
  python3 kit.pyz --vault s3://dr-eu-west --key escrow.agekey restore minilm --to /srv/minilm

S3 credentials are taken as AWS tools take them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or --profile.
Anything else that rclone reaches: copy it first (rclone copy REMOTE:PATH DIR), then --vault DIR.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    given = argparse.ArgumentParser(
        prog="kit.pyz",
        description=(__doc__ or "").partition("\n\n")[0],
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    given.add_argument("--vault", required=True, metavar="URL", help="a directory, file:///… or s3://BUCKET[/PREFIX]")
    given.add_argument("--key", type=Path, metavar="FILE", help="the age key of a sealed vault; else DR_IDENTITY is it")
    given.add_argument("--trusted", action="append", metavar="ed25519:…", help="who signed; else vault.json says")
    given.add_argument("--endpoint", metavar="URL", help="of an S3 server that is not Amazon's")
    given.add_argument("--profile", metavar="NAME", help="of the AWS configuration files")
    commands = given.add_subparsers(dest="command", required=True)
    for name, told in (
        ("list", "the points of the vault"),
        ("verify", "read and prove every byte of points, writing nothing"),
        ("restore", "a point as a new directory: all of it, proven, or nothing"),
    ):
        command = commands.add_parser(name, help=told, description=told)
        command.add_argument("asset", nargs=None if name == "restore" else "?")
        command.add_argument("--point", help="its id; else all, of a restore the newest that is not in quarantine")
        if name == "restore":
            command.add_argument("--with-attachments", type=Path, metavar="DIR", help="what was recorded with it, too")
            command.add_argument("--to", type=Path, required=True, metavar="DIR", help="a directory that is not there")
    given.set_defaults(to=None, with_attachments=None)
    return given


def main() -> int:
    """Prove the kit, unpack it, and do what is asked."""
    asked = parser().parse_args()
    archive = unpacking.archive()
    try:
        unpacking.refuse_damaged(archive)
        with tempfile.TemporaryDirectory(prefix="dr-kit-", ignore_cleanup_errors=True) as folder:
            unpacking.unpack(archive, Path(folder))
            import run

            return run.run(asked)
    except unpacking.Unusable as error:
        print(f"error: {archive}: {error.args[1]}", file=sys.stderr)
        return int(error.args[0])
    except OSError as error:
        print(f"error: {error}; is there room in {tempfile.gettempdir()}? TMPDIR names another place", file=sys.stderr)
        return 6
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
