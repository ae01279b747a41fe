"""A long text in pieces, for systems that take several short ones."""

from __future__ import annotations

FENCE = "```"
ROOM = 2 * (len(FENCE) + 1)
"""For a fence that is begun again at the start of a piece and one that is closed at its end."""


def chunks(text: str, most: int) -> list[str]:
    """Pieces of at most `most` characters, cut at an empty line, else between lines. Code that is cut is fenced in both pieces."""
    found: list[str] = []
    piece: list[str] = []
    gap, fenced = 0, False
    for line in _short_lines(text, most - ROOM):
        while piece and piece != [FENCE] and len("\n".join([*piece, line])) > most - len(FENCE) - 1:
            if gap:
                found.append("\n".join(piece[:gap]))
                piece, gap = piece[gap + 1 :], 0
            else:
                found.append("\n".join([*piece, FENCE] if fenced else piece))
                piece = [FENCE] if fenced else []
        piece.append(line)
        fenced ^= bool(line.count(FENCE) % 2)
        if not line.strip() and not fenced:
            gap = len(piece) - 1
    return [one for one in (*found, "\n".join(piece)) if one.strip()]


def _short_lines(text: str, most: int) -> list[str]:
    return [line[at : at + most] for line in text.split("\n") for at in range(0, max(len(line), 1), most)]
