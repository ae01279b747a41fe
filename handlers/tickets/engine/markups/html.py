"""HTML, for systems that show it: Request Tracker, Zendesk, Opsgenie, Azure DevOps Server. https://html.spec.whatwg.org/"""

from __future__ import annotations

from handlers.runbook.markup import to_html


def render(markdown: str) -> str:
    return to_html(markdown)
