"""What would be sent, without sending it: where an answer is needed, what it would be asked for stands in its place."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from handlers.model.parts import Part
from handlers.tickets.engine.definition import AuthKind, Step
from handlers.tickets.engine.expressions import BadExpression, evaluated, holds
from handlers.tickets.engine.target import Target, operation_of

if TYPE_CHECKING:
    import requests


class Pretended(str):
    """Something of an answer, by the name that it would be asked for with."""

    __slots__ = ()

    def __getitem__(self, name: Any) -> Any:
        return Pretended(f"{self}.{name}")

    def __contains__(self, part: object) -> bool:
        """What is looked for in an answer is taken to be there."""
        return True

    def __iter__(self) -> Iterator[str]:
        """Nobody knows how many there would be."""
        return iter(())


class DryRun(Target):
    """A target whose requests are written down."""

    _written: list[str]

    def requests_for(self, event: Mapping[str, Any], change_id: str, parts: Sequence[Part]) -> str:
        """The requests of one change as text, secrets masked."""
        self._written = []
        operation, names = operation_of(event), self._names(event, change_id, parts)
        if operation != "open":
            names = {"one": Pretended("ticket"), **self.run(self.system.read, names)}
            names = self.as_read(names)
        self.run(getattr(self.system, operation) or self.system.update, names)
        if operation != "resolve":
            self.attach(
                names | {"ticket": {"id": names["ticket"]["id"] or Pretended("ticket.id")}, "existing": operation != "open"}
            )
        return "\n\n".join(self._written)

    def run(self, steps: Sequence[Step], names: dict[str, Any]) -> dict[str, Any]:
        for step in steps:
            if not step.when or _holds(step.when, names):
                names = self._made(step, names)
        return names

    def _made(self, step: Step, names: dict[str, Any]) -> dict[str, Any]:
        self._asked(step, names)
        names = names | {"answer": Pretended("answer"), "headers": Pretended("headers"), "status": 200}
        return names | {name: _pretended(name, expression, names) for name, expression in step.take.items()}

    def _is_ours(self, names: Mapping[str, Any]) -> bool:
        """Nobody has written into a ticket that was not read."""
        return True

    def _signed(self, change_id: str, body: bytes) -> dict[str, str]:
        asks_for_a_token = self._tokens or (
            self.system.auth.kind == AuthKind.MANAGED_IDENTITY and not self._settings.ticket_secret
        )
        return {"Authorization": "Bearer ***"} if asks_for_a_token else super()._signed(change_id, body)

    def _sent(
        self, method: str, url: str, query: Mapping[str, Any], headers: Mapping[str, str], body: bytes, seconds: float
    ) -> requests.Response:
        import requests

        address = unquote(url) + (f"?{unquote(urlencode(query))}" if query else "")
        lines = [f"{method} {address}", *(f"{name}: {value}" for name, value in headers.items())]
        content = ["", _shown(body, headers["Content-Type"])] if body else []
        self._written.append(self.without_secrets("\n".join([*lines, *content]), keep_words=True))
        return requests.Response()


def _shown(body: bytes, content_type: str) -> str:
    """A body for a person: a file that is added to a ticket by its size."""
    if content_type == "application/octet-stream":
        return body.decode()
    return json.dumps(json.loads(body), ensure_ascii=False, indent=2) if "json" in content_type else f"({len(body):,} bytes)"


def _holds(condition: str, names: Mapping[str, Any]) -> bool:
    """A condition about an answer that was not given holds: its step is shown."""
    try:
        return holds(condition, names)
    except BadExpression:
        return True


def _pretended(name: str, expression: str, names: Mapping[str, Any]) -> Any:
    try:
        value = evaluated(expression, names)
    except BadExpression:
        value = None
    return Pretended(name) if value is None or isinstance(value, str) else value
