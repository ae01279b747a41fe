"""The list of sources, their documentation and what they import."""

from __future__ import annotations

import importlib
import re
from pkgutil import iter_modules

import pytest

import handlers.alerts
from handlers.alerts import SOURCES
from tests.alerts.samples import OTHER, OWN, PUBLISHED, samples_in

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
names = [str(vars(source)["__name__"]) for source in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=names)
def test_every_source_documents_its_payload_and_what_counts_as_about_backup(source: object) -> None:
    assert re.search(r"https://learn\.microsoft\.com/azure/\S+", source.__doc__ or "")
    assert re.search(r"[Aa]bout backup", source.__doc__ or "")


def test_every_module_that_parses_bodies_is_a_source() -> None:
    modules = [importlib.import_module(f"handlers.alerts.{module.name}") for module in iter_modules(handlers.alerts.__path__)]
    assert sorted(module.__name__ for module in modules if hasattr(module, "parse")) == sorted(names)


def test_each_source_has_its_own_place_in_the_order_and_other_is_the_last() -> None:
    assert len({source.ORDER for source in SOURCES}) == len(SOURCES)
    assert names[-1] == "handlers.alerts.other"


def test_own_samples_share_no_identifier_with_the_published_ones() -> None:
    own, published = (
        set(GUID.findall(str(bodies).lower())) for bodies in (samples_in(OWN) | samples_in(OTHER), samples_in(PUBLISHED))
    )
    assert own
    assert own.isdisjoint(published)
