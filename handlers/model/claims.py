"""Three-valued logic: a claim is true, false, or undecided, and then it says why (Kleene's strong logic).

`a & b`, `a | b` and `~a` also take plain bools. A claim has no truth value of its own, so that an undecided one cannot pass for
a false one.
"""

from __future__ import annotations

from typing import Any, Never

from msgspec import Struct

from handlers.model.words import Reason, Unknown


class Claim(Struct, frozen=True):
    """`holds` is None when it cannot be decided; `why` is then the reason."""

    holds: bool | None
    why: Unknown | None = None

    def __and__(self, other: Claim | bool) -> Claim:
        second = claim(other)
        if self.holds is False or second.holds is False:
            return FALSE
        return self if self.holds is None else second

    def __or__(self, other: Claim | bool) -> Claim:
        second = claim(other)
        if self.holds or second.holds:
            return TRUE
        return self if self.holds is None else second

    __rand__, __ror__ = __and__, __or__

    def __invert__(self) -> Claim:
        return self if self.holds is None else claim(not self.holds)

    def __bool__(self) -> Never:
        raise TypeError("a claim may be undecided: ask for `holds`")


TRUE, FALSE = Claim(True), Claim(False)


def claim(value: Claim | bool) -> Claim:
    if isinstance(value, Claim):
        return value
    return TRUE if value else FALSE


def undecided(why: Reason | Unknown, detail: str = "") -> Claim:
    return Claim(None, why if isinstance(why, Unknown) else Unknown(why, detail))


def unread(*values: Any) -> Claim:
    """Undecided when one of the values could not be read, else false."""
    return next((undecided(value) for value in values if isinstance(value, Unknown)), FALSE)


def any_of(*claims: Claim | bool) -> Claim:
    found = FALSE
    for one in claims:
        found = found | one
    return found


def all_of(*claims: Claim | bool) -> Claim:
    found = TRUE
    for one in claims:
        found = found & one
    return found
