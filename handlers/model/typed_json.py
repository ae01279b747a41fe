"""Values of the model to JSON and back, typed. The only place that reads JSON into classes.

msgspec (0.22) gathers what it knows of a class when the class is first used, and a second thread that comes meanwhile finds it half
gathered and ends the process. Here one thread gathers and the others wait.
"""

from __future__ import annotations

import threading
from typing import Any

_gathering = threading.Lock()
_known: set[Any] = set()


class WrongShape(ValueError):
    """The JSON is malformed, or not that of the type."""


def to_json(value: Any) -> bytes:
    """The value as UTF-8 JSON."""
    import msgspec

    return msgspec.json.encode(value)


def to_builtins(value: Any) -> Any:
    """The value as dicts, lists, strings and numbers."""
    import msgspec

    return msgspec.to_builtins(value)


def from_json[T](stored: bytes, kind: type[T]) -> T:
    """Raises WrongShape."""
    import msgspec

    _gather(kind)
    try:
        return msgspec.json.decode(stored, type=kind)
    except msgspec.DecodeError as error:
        raise WrongShape(str(error)) from None


def from_builtins(stored: Any, kind: Any) -> Any:
    """Raises WrongShape."""
    import msgspec

    _gather(kind)
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError as error:
        raise WrongShape(str(error)) from None


def _gather(kind: Any) -> None:
    if kind in _known:
        return
    import msgspec

    with _gathering:
        msgspec.json.Decoder(kind)
        _known.add(kind)
