"""`explain_error_code`: what the catalogue says of a code. Nothing is read from Azure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.agents.sources import Sources
from handlers.diagnosis.catalogue import Cause, causes_of, entry, entry_of, error_of, operation_of, title_of
from handlers.runbook.templates import cause_title


def explain_error_code(arguments: Mapping[str, Any], sources: Sources) -> dict[str, Any]:
    """A code outside the catalogue has the common causes, which a diagnosis would check."""
    language = arguments["language"] or sources.settings.runbook_language
    error = error_of(arguments["code"])
    known = entry_of(arguments["code"]) or entry("unknown")
    return {
        "code": error.code,
        "in_catalogue": error.in_catalogue,
        "title": title_of(error, language),
        "aliases": list(known.aliases),
        "category": error.category,
        "transient": error.transient,
        "wrapper": known.wrapper,
        "documentation": known.doc or None,
        "causes": [_shown(cause, language) for cause in causes_of(error, operation_of(error))],
    }


def _shown(cause: Cause, language: str) -> dict[str, Any]:
    return {
        "cause": cause.id,
        "title": cause_title(language, cause.id),
        "os": cause.os.value if cause.os else None,
        "facts": list(cause.facts),
    }
