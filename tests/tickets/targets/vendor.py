"""What vendors publish of their APIs, to check the requests that our tests make; and what of a page works as markup."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from markdown_it import MarkdownIt

from handlers.model.parts import Part
from tests.conftest import ROOT
from tests.tickets.changes import Posting
from tests.tickets.system import Asked

FOLDER = ROOT.parent / "shared" / "samples" / "ticket_apis"
needs_descriptions = pytest.mark.skipif(not FOLDER.is_dir(), reason="the vendors' API descriptions are not there")
HOSTILE_WORDS = ("@everyone", "<script>", "<img", "javascript:", "$(reboot)", "#1 ")


def document(file: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / file).read_text(encoding="utf-8"))
    return found


@cache
def _described(file: str) -> Any:
    from openapi_core import Config, OpenAPI

    patch: Any = {"application/json-patch+json": json.loads}
    return OpenAPI.from_dict(document(file), config=Config(extra_media_type_deserializers=patch))


def complaint(file: str, asked: Asked, path: str = "") -> str:
    """What of a request is not as a vendor's OpenAPI description says; empty when nothing is. `path` stands for its own."""
    from openapi_core.exceptions import OpenAPIError
    from openapi_core.testing import MockRequest

    request = MockRequest(
        document(file)["servers"][0]["url"], asked.method.lower(), path or asked.path, args=dict(asked.query),
        headers=dict(asked.headers), data=asked.body or None,
        content_type=asked.headers.get("content-type", "").partition(";")[0],
    )  # fmt: skip
    try:
        _described(file).validate_request(request)
    except OpenAPIError as error:
        return f"{error}: {error.__cause__ or ''}"
    return ""


def outside_code(markdown: str) -> str:
    """The text, links and HTML of a page that no code span and no code block makes inert."""

    def shown(tokens: Any) -> Iterator[str]:
        for token in tokens or ():
            if token.type not in ("code_inline", "code_block", "fence"):
                yield "" if token.children else token.content
                yield str(token.attrs or "")
                yield from shown(token.children)

    return "\n".join(shown(MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown)))


def commands_of(posting: Posting) -> list[str]:
    """The lines of the commands of what is confirmed, as far as a ticket has them: what only reads is in one shell."""
    confirmed = [finding for finding in posting.event["data"]["findings"] if finding["verdict"] == "confirmed"]
    commands = [command for finding in confirmed for step in finding["remediation"] for command in step["commands"]]
    shown = [command["line"] for command in commands if command["shell"] == "bash" or command["effect"] != "reads"]
    return [line for command in shown for line in command.split("\n")]


def with_much(posting: Posting, characters: int) -> Posting:
    """The same change with a page that holds so much about what is ruled out."""
    much = Part("\n\n" + "This is ruled out, and long.\n\n" * (characters // 30), ("ruled_out",))
    return Posting(posting.event, posting.change_id, (*posting.parts, much))


def changed(asked: Asked, change: Callable[[Any], Any], headers: Mapping[str, str] | None = None) -> Asked:
    """A request with another body, for a negative control."""
    body = json.dumps(change(asked.json)).encode()
    return Asked(asked.method, asked.path, asked.query, asked.headers if headers is None else headers, body)
