"""The list of sources, their documentation and what they import."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

import handlers.alerts
from handlers.alerts import SOURCES
from tests.alerts.samples import OTHER, OWN, PUBLISHED, samples_in

FOLDER = Path(handlers.alerts.__path__[0])
SHARED = {"envelope", "fields", "handshake", "ids"}
GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
names = [str(vars(source)["__name__"]) for source in SOURCES]


@pytest.mark.parametrize("source", SOURCES, ids=names)
def test_every_source_documents_its_payload_and_what_counts_as_about_backup(source: object) -> None:
    assert re.search(r"https://learn\.microsoft\.com/azure/\S+", source.__doc__ or "")
    assert re.search(r"[Aa]bout backup", source.__doc__ or "")


def test_every_module_is_a_source_or_shared_by_them() -> None:
    found = {module.name for module in pkgutil.iter_modules([str(FOLDER)])}
    assert found == {name.rpartition(".")[2] for name in names} | SHARED


def test_each_source_has_its_own_place_in_the_order_and_other_is_the_last() -> None:
    assert len({source.ORDER for source in SOURCES}) == len(SOURCES)
    assert names[-1] == "handlers.alerts.other"


def test_own_samples_share_no_identifier_with_the_published_ones() -> None:
    own, published = (
        set(GUID.findall(str(bodies).lower())) for bodies in (samples_in(OWN) | samples_in(OTHER), samples_in(PUBLISHED))
    )
    assert own
    assert own.isdisjoint(published)
