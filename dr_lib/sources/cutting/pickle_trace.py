"""Follows a pickle's opcodes over names, numbers and marks alone: nothing in it is imported, called or built.

Opcodes: the docstrings of Python's `pickletools`, which also reads them here. What is no text, number, tuple or dict
becomes `OPAQUE`; what a call would make is asked of the caller.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from dr_lib.sources.cutting.spans import OddBytes

MAX_OPCODES: Final = 500_000
"""Some 20,000 tensors, and about five seconds."""
OPAQUE: Final = object()
_MARK: Final = object()


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function that the pickle names."""

    module: str
    name: str


Call = Callable[[Any, Any], Any]
Load = Callable[[Any], Any]


def trace(data: bytes, call: Call, load: Load) -> Any:
    """What stands for the pickled value. Raises `OddBytes` for anything but a whole pickle that can be followed.

    `call(function, arguments)` and `load(persistent id)` say what stands for their results; they are handed values
    that a stranger made up: tuples may hold one another many times over, so that nothing may compare, hash or print
    them whole. Takes time and memory in proportion to `data`.
    """
    run = _Run(call, load)
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
            if count >= MAX_OPCODES:
                raise OddBytes("too many opcodes")
            _do(run, opcode.name, argument)
        return run.stack.pop()
    except (ValueError, LookupError, OverflowError, MemoryError) as error:
        raise OddBytes(f"a pickle that cannot be followed: {error!r:.100}") from error


@dataclass(slots=True)
class _Run:
    call: Call
    load: Load
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)


def _do(run: _Run, name: str, argument: Any) -> None:
    if name in _LITERALS:
        run.stack.append(argument)
    elif name in _CONSTANTS:
        run.stack.append(_CONSTANTS[name]())
    else:
        _ACTIONS[name](run, argument)


def _pop(run: _Run, _: Any) -> None:
    run.stack.pop()


def _pop_mark(run: _Run, _: Any = None) -> list[Any]:
    items = []
    while (item := run.stack.pop()) is not _MARK:
        items.append(item)
    return items[::-1]


def _repeat(run: _Run, _: Any) -> None:
    run.stack.append(run.stack[-1])


def _tuple(run: _Run, _: Any) -> None:
    run.stack.append(tuple(_pop_mark(run)))


def _tuple_of(length: int, run: _Run, _: Any) -> None:
    run.stack.append(tuple([run.stack.pop() for _ in range(length)][::-1]))


def _collection(run: _Run, _: Any) -> None:
    _pop_mark(run)
    run.stack.append(OPAQUE)


def _dict(run: _Run, _: Any) -> None:
    items = _pop_mark(run)
    run.stack.append({})
    _set(run, items)


def _set_item(run: _Run, _: Any) -> None:
    value, key = run.stack.pop(), run.stack.pop()
    _set(run, [key, value])


def _set_items(run: _Run, _: Any) -> None:
    _set(run, _pop_mark(run))


def _set(run: _Run, items: list[Any]) -> None:
    """Keys that are no text are passed over, and so is what is set in anything but a dict."""
    target = run.stack[-1]
    if type(target) is dict:
        target.update((key, value) for key, value in zip(items[::2], items[1::2], strict=True) if type(key) is str)


def _put(run: _Run, number: int) -> None:
    run.memo[number] = run.stack[-1]


def _memoize(run: _Run, _: Any) -> None:
    run.memo[len(run.memo)] = run.stack[-1]


def _get(run: _Run, number: int) -> None:
    run.stack.append(run.memo[number])


def _global(run: _Run, names: str) -> None:
    module, _, name = names.partition(" ")
    run.stack.append(Name(module, name))


def _stack_global(run: _Run, _: Any) -> None:
    name, module = run.stack.pop(), run.stack.pop()
    run.stack.append(Name(module, name) if type(name) is type(module) is str else OPAQUE)


def _reduce(run: _Run, _: Any) -> None:
    arguments, function = run.stack.pop(), run.stack.pop()
    run.stack.append(run.call(function, arguments))


def _new(parts: int, run: _Run, _: Any) -> None:
    del run.stack[len(run.stack) - parts :]
    run.stack.append(OPAQUE)


def _load(run: _Run, _: Any) -> None:
    run.stack.append(run.load(run.stack.pop()))


def _nothing(run: _Run, _: Any) -> None:
    """Framing, which `genops` reads through, and the end, after which it gives no more."""


_LITERALS: Final = frozenset(
    f"{size}{kind}"
    for kind, sizes in {
        "INT": ("", "BIN"),
        "INT1": ("BIN",),
        "INT2": ("BIN",),
        "LONG": ("",),
        "LONG1": ("",),
        "LONG4": ("",),
        "FLOAT": ("", "BIN"),
        "STRING": ("", "BIN", "SHORT_BIN"),
        "UNICODE": ("", "BIN", "SHORT_BIN"),
        "UNICODE8": ("BIN",),
        "BYTES": ("BIN", "SHORT_BIN"),
        "BYTES8": ("BIN",),
        "ARRAY8": ("BYTE",),
    }.items()
    for size in sizes
)
_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": lambda: OPAQUE,
    "EMPTY_SET": lambda: OPAQUE,
    "MARK": lambda: _MARK,
}
_Action = Callable[[_Run, Any], Any]
_ACTIONS: Final[dict[str, _Action]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _nothing),
    **dict.fromkeys(("POP", "APPEND", "BUILD"), _pop),
    **dict.fromkeys(("POP_MARK", "APPENDS", "ADDITEMS"), _pop_mark),
    **dict.fromkeys(("LIST", "FROZENSET"), _collection),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _put),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), _get),
    "TUPLE": _tuple,
    **{f"TUPLE{length}": partial(_tuple_of, length) for length in (1, 2, 3)},
    "DUP": _repeat,
    "DICT": _dict,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "MEMOIZE": _memoize,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "REDUCE": _reduce,
    "NEWOBJ": partial(_new, 2),
    "NEWOBJ_EX": partial(_new, 3),
    "BINPERSID": _load,
}
"""An opcode that stands nowhere here ends the run: `KeyError` is a `LookupError`."""
