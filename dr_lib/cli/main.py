"""Entry of `drctl`: the commands, and what each error means to the shell."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from dr_lib import __version__, telemetry
from dr_lib.cli import (
    alerts,
    backup,
    catalog,
    check,
    demo,
    doctor,
    drill,
    evidence,
    failback,
    failover,
    heal,
    hold,
    init,
    keys,
    kit,
    points,
    prune,
    quarantine,
    recover,
    replicate,
    restore,
    runbook,
    serving,
    show,
    signature,
    smoke,
    status,
    uncover,
    verify,
)
from dr_lib.cli.output import error_document, print_json, tell_error
from dr_lib.cli.session import ConfigOption, JsonOption, Session, VerboseOption
from dr_lib.errors import DrError, UsageError

DEFECT, INTERRUPTED = 1, 130
SAYS_THE_ANSWER = "Exit codes: 0 done, 1 defect, 2 usage or configuration, 3 objective missed, 4 damaged, 5 not found, "
EXIT_CODES = SAYS_THE_ANSWER + "6 store unavailable, 7 refused, 8 the source is changing or incomplete."

HELP = ("-h", "--help")
COMMANDS = (
    *(
        init,
        backup,
        points,
        show,
        replicate,
        verify,
        heal,
        uncover,
        restore,
        smoke,
        drill,
        evidence,
        status,
        check,
        catalog,
    ),
    *(failover, failback, serving),
    *(alerts, doctor, runbook, hold, quarantine, prune, signature, keys, kit, recover, demo),
)
"""Each named as its module, in the order of the help."""


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        print(__version__)
        raise typer.Exit


def options(
    ctx: typer.Context,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    verbose: VerboseOption = False,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """Back up models and datasets into several regions, and prove that they come back."""
    ctx.ensure_object(Session).accept(config=config, as_json=as_json, verbose=verbose)


def application(given: Sequence[str]) -> typer.Typer:
    """`drctl` with the commands whose names are among the words of `given`; with all when none is, or help is asked.

    Making every command's options takes longer than many a command.
    """
    app = typer.Typer(
        name="drctl",
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": [*HELP]},
        epilog=EXIT_CODES,
    )
    app.callback()(options)
    named = [module for module in COMMANDS if module.__name__.rpartition(".")[2] in given]
    for module in COMMANDS if not named or any(word in given for word in HELP) else named:
        module.register(app)
    return app


def main(arguments: Sequence[str] | None = None, session: Session | None = None) -> int:
    """Run one command and return its exit code. `session` says where the runtime comes from."""
    _collect_seldom()
    given = list(sys.argv[1:] if arguments is None else arguments)
    run = session or Session()
    with telemetry.exporting(os.environ):
        return guarded(run, given, lambda: _dispatch(given, run))


def _collect_seldom() -> None:
    """A listing of 100,000 files is a million objects that live to the end: looking through them again and again for
    cycles, of which there are few, took a third of the time."""
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


def _dispatch(given: list[str], session: Session) -> int:
    command = typer.main.get_command(application(given))
    result: Any = command.main(given, prog_name="drctl", standalone_mode=False, obj=session)
    if result == INTERRUPTED:  # so Typer ends what was interrupted, and says nothing
        raise KeyboardInterrupt
    return int(result or 0)


def guarded(session: Session, given: Sequence[str], work: Callable[[], int]) -> int:
    """The exit code of `work`; every error is told on stderr, as JSON, or in the command's own way (`tell`)."""
    try:
        return work()
    except DrError as error:
        return _told(session, given, error)
    except typer.TyperException as error:
        return _told(session, given, _usage_error(error))
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted(session, given)
    except Exception as error:  # noqa: BLE001 - the last place where a defect can be told from a crash
        return _defect(session, given, error)


def _own_way(given: Sequence[str]) -> Callable[[Session, Sequence[str], DrError], int] | None:
    """How the command that is meant tells errors, where the protocol that it speaks says how: its module's `tell`."""
    names = {module.__name__.rpartition(".")[2]: module for module in COMMANDS}
    meant = next((names[word] for word in given if word in names), None)
    return getattr(meant, "tell", None)


def _interrupted(session: Session, given: Sequence[str]) -> int:
    if tell := _own_way(given):
        return tell(session, given, DrError("interrupted", hint="run it again"))
    print("interrupted", file=sys.stderr)
    return INTERRUPTED


def _told(session: Session, given: Sequence[str], error: DrError) -> int:
    if tell := _own_way(given):
        return tell(session, given, error)
    if _wants(session.as_json, given, "--json"):
        print_json(error_document(error))
    else:
        tell_error(error)
    return error.exit_code


def _usage_error(error: typer.TyperException) -> UsageError:
    """Typer's message in our family, with the help that fits the command that was meant."""
    context: typer.Context | None = getattr(error, "ctx", None)
    path = context.command_path if context else "drctl"
    what = error.format_message().rstrip(".") or "a command is missing"
    return UsageError(what, hint=f"{path} --help")


def _defect(session: Session, given: Sequence[str], error: Exception) -> int:
    what = f"this is a defect of drctl: {type(error).__name__}: {error}"
    verbose = _wants(session.verbose, given, "-v", "--verbose")
    if verbose:
        traceback.print_exception(error)
    hint = "report it with the lines above" if verbose else "run it again with -v for the place where it arose"
    return _told(session, given, DrError(what, hint=hint))


def _wants(accepted: bool, given: Sequence[str], *flags: str) -> bool:  # noqa: FBT001 - private, two calls
    """A flag counts even when the error came before the options were read."""
    return accepted or not set(flags).isdisjoint(given)
