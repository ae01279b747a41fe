"""Spans of time as somebody types them."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from datetime import timedelta

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def since(text: str) -> timedelta:
    """`90m`, `24h`, `7d`."""
    match = re.fullmatch(r"(\d{1,4})([mhd])", text.strip())
    if not match or not int(match[1]):
        raise ArgumentTypeError(f"{text!r} is not a time such as 90m, 24h or 7d")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
