"""What every command shares: the global options, before and after its name, and where its answer goes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dr_lib.cli.output import Output
from dr_lib.cli.watching import watch
from dr_lib.progress import Progress

if TYPE_CHECKING:
    from dr_lib.runtime import Runtime

OPTIONS = "Global options (before or after the command)"
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", metavar="FILE", help="dr.yaml; else DR_CONFIG, else ./dr.yaml.", rich_help_panel=OPTIONS
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON document on stdout, and nothing else there.", rich_help_panel=OPTIONS)
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", "-v", help="Say more; show where a defect arose.", rich_help_panel=OPTIONS)
]
COMMON = {"config": ConfigOption, "as_json": JsonOption, "verbose": VerboseOption}


def _load(path: Path | None) -> Runtime:
    from dr_lib.runtime import Runtime

    return Runtime.load(path)


@dataclass(slots=True)
class Session:
    """One run of `drctl`. `load` opens the runtime; tests put another in its place."""

    config: Path | None = None
    as_json: bool = False
    verbose: bool = False
    load: Callable[[Path | None], Any] = field(default=_load)

    def accept(self, *, config: Path | None, as_json: bool, verbose: bool) -> None:
        """Take in global options from one of the two places; the later `--config` wins."""
        self.config = config or self.config
        self.as_json |= as_json
        self.verbose |= verbose

    @property
    def output(self) -> Output:
        """Where the answer goes."""
        return Output(as_json=self.as_json)

    def runtime(self) -> Runtime:
        """The runtime over the chosen configuration; imported here so that `--help` does not wait for it."""
        runtime: Runtime = self.load(self.config)
        return runtime

    def progress(self) -> Progress:
        """Bars, lines or nothing, as fits where stderr goes."""
        return watch(silent=self.as_json)


def command(
    app: typer.Typer, name: str, *, examples: Sequence[str] = (), hidden: bool = False
) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Register `work(session, …)` as a command; it returns its exit code, None for 0. Its docstring is its help."""

    def register(work: Callable[..., int | None]) -> Callable[..., int | None]:
        epilog = "Examples:\n\n" + "\n\n".join(f"  {example}" for example in examples) if examples else None
        app.command(name, epilog=epilog, hidden=hidden)(_with_common_options(work))
        return work

    return register


def _with_common_options(work: Callable[..., int | None]) -> Callable[..., int | None]:
    hints = get_type_hints(work, include_extras=True)
    own = [p.replace(annotation=hints[p.name]) for p in inspect.signature(work).parameters.values()][1:]

    def run(ctx: typer.Context, **given: Any) -> int | None:
        session = ctx.ensure_object(Session)
        session.accept(**{name: given.pop(name) for name in COMMON})
        return work(session, **given)

    context = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)
    parameters = [context, *(p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in [*own, *_common_parameters()])]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    run.__doc__ = work.__doc__
    return run


def _common_parameters() -> list[inspect.Parameter]:
    defaults = {"config": None, "as_json": False, "verbose": False}
    kind = inspect.Parameter.KEYWORD_ONLY
    return [inspect.Parameter(name, kind, default=defaults[name], annotation=hint) for name, hint in COMMON.items()]
