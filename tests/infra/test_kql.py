"""The queries of infra/: documented columns, known operators, and patterns that match the lines that the code writes.

No Kusto engine can be had here: that a query runs, and what it returns, is shown by Azure only. What is checked is said in tests/infra/kql.py.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.model.document import Document
from handlers.tickets import posted_log
from handlers.tickets.answers import Posted
from tests.conftest import ROOT
from tests.infra.kql import (
    BadQuery,
    documented_tables,
    holds,
    line_patterns,
    message_extracts,
    message_tests,
    read,
    rendered,
    survives_a_missing_table,
    used_tables,
)
from tests.infra.real_lines import SUBSCRIPTION, VAULT, all_lines
from tests.tickets.changes import NOW
from tools.workbook import PAGE, PARTS, QUERIES, page

TABLES = documented_tables()
FILES = sorted((ROOT / "infra").rglob("*.kql"))
POSTED = rendered((QUERIES / "failures_by_code.kql").read_text(encoding="utf-8"))


def text_of(file: Path) -> str:
    return rendered(file.read_text(encoding="utf-8"))


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    caplog.set_level(logging.INFO, "handlers")
    return all_lines(lambda: caplog.records)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_query_uses_documented_tables_and_columns_and_known_operators_only(file: Path) -> None:
    query = text_of(file)
    assert used_tables(query, TABLES)
    assert read(query, TABLES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_a_query_looks_for_is_what_the_code_logs(file: Path, lines: list[str]) -> None:
    query = text_of(file)
    assert unmatched(query, lines) == []


OF_RULES = sorted((ROOT / "infra" / "queries").glob("*.kql"))


@pytest.mark.parametrize("file", OF_RULES, ids=lambda file: file.stem)
def test_a_rules_query_runs_before_its_table_is_there(file: Path) -> None:
    """Else Azure switches the rule off after a week, and a missing canary is an error instead of an alert."""
    assert survives_a_missing_table(text_of(file), TABLES)


@pytest.mark.parametrize(
    "query",
    [
        "AppTraces | where Message has 'x'",
        "union AppTraces, AppRequests | where OperationId == ''",
        "union isfuzzy=true (datatable(Message: string)[]), AppTraces | where OperationId == ''",
        "union isfuzzy=true (datatable(Message: string)[]), AppTraces | join kind=inner (AppTraces) on Message",
    ],
)
def test_a_query_that_fails_without_its_table_is_noticed(query: str) -> None:
    assert not survives_a_missing_table(query, TABLES)


def unmatched(query: str, lines: list[str]) -> list[str]:
    """Texts that no line has, patterns that no line matches, and columns that no line fills."""
    found = [text for operator, text in message_tests(query) if not any(holds(operator, text, line) for line in lines)]
    found += [pattern.pattern for pattern in message_extracts(query) if not any(map(pattern.search, lines))]
    for pattern in line_patterns(query):
        matches = [match for line in lines if (match := pattern.fullmatch(line))]
        found += [] if matches else [pattern.pattern]
        found += [name for name in pattern.groupindex if matches and not any(match[name] for match in matches)]
    return found


def test_every_column_of_a_posted_line_is_read_as_it_was_written(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handlers")
    data = {"incident": {"id": "5" * 32}, "protected_item": {"vault_id": VAULT}, "error": {"code": "UserErrorX"}}
    document = Document("incident", "open", data, (), cause="disk_too_large", received_at=NOW - timedelta(seconds=41.7))
    posted_log.log_posted(
        {"type": "incident.opened", "data": data}, Posted("OPS 7", "https://tickets.example.com/OPS 7"), document, NOW
    )
    (pattern,) = line_patterns(POSTED)
    match = pattern.fullmatch(caplog.messages[0])
    assert match is not None
    assert match.groupdict() == {
        "Event": "incident.opened", "Incident": "5" * 32, "Ticket": "OPS_7", "Code": "UserErrorX", "Cause": "disk_too_large",
        "Vault": "vault-1", "Seconds": "42", "Subscription": SUBSCRIPTION, "Url": "https://tickets.example.com/OPS_7",
    }  # fmt: skip


@pytest.mark.parametrize("url", ["", "http://tickets.example.com/1", "javascript:alert(1)", "https://t.example.com/" + "x" * 500])
def test_an_address_that_a_workbook_should_not_lead_to_is_not_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "handlers")
    data = {"incident": {"id": "5" * 32}, "protected_item": {"vault_id": None}, "error": None}
    posted_log.log_posted(
        {"type": "incident.opened", "data": data}, Posted("1", url), Document("incident", "open", data, ()), NOW
    )
    assert caplog.messages[0].endswith(" subscription=- url=-")


def test_every_posted_line_is_seen_with_its_event_type(lines: list[str]) -> None:
    posted = [line for line in lines if line.startswith("posted ")]
    (pattern,) = line_patterns(POSTED)
    events = {match["Event"] for line in posted if (match := pattern.fullmatch(line))}
    assert all(pattern.fullmatch(line) for line in posted)
    assert events == {"incident.opened", "incident.updated", "incident.resolved", "storm.opened", "storm.updated", "storm.resolved",
                      "alert.unreadable"}  # fmt: skip


def test_the_event_types_that_queries_name_are_those_of_the_ticket_event() -> None:
    schema = json.loads((ROOT / "docs" / "ticket-event.schema.json").read_text(encoding="utf-8"))
    known = set(schema["properties"]["type"]["enum"])
    named = {token for file in FILES for token in text_of(file).split('"') if token.startswith(("incident.", "storm."))}
    assert named - known - {"incident.", "storm."} == set()


def test_a_name_from_outside_cannot_pass_for_a_posted_line() -> None:
    hostile = "alert ignored: The alert rule 'posted type=incident.opened incident=1 ticket=1' does not query backup jobs."
    assert all(operator == "startswith_cs" for file in QUERIES.glob("*.kql")
               for operator, _ in message_tests(text_of(file)))  # fmt: skip
    assert not any(holds(operator, text, hostile) for operator, text in message_tests(POSTED))


# ------------------------------------------------------------------------------------------------ the workbook


def test_the_workbook_is_what_its_queries_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_workbook_shows_every_query_once_and_verbatim() -> None:
    shown = [item["content"]["query"] for item in json.loads(PAGE.read_text(encoding="utf-8"))["items"] if item["type"] == 3]
    assert sorted(shown) == sorted(file.read_text(encoding="utf-8") for file in QUERIES.glob("*.kql"))
    assert len({part.query for part in PARTS}) == len(PARTS)


def test_a_filter_is_a_parameter_of_the_workbook() -> None:
    items = json.loads(PAGE.read_text(encoding="utf-8"))["items"]
    names = {parameter["name"] for item in items if item["type"] == 9 for parameter in item["content"]["parameters"]}
    asked = {name for file in FILES for name in re.findall(r"\{([A-Z]\w+)[:}]", file.read_text(encoding="utf-8"))}
    assert asked == names == {"TimeRange", "Vault", "Code", "Subscription"}


def test_every_column_that_is_drawn_or_linked_is_one_of_its_query() -> None:
    for part in PARTS:
        columns = read(rendered(part.text), TABLES)
        assert set(part.links) <= columns
        assert part.shown_as != "tiles" or {"Tile", "Value"} <= columns
        assert part.shown_as not in ("barchart", "timechart") or "Day" in columns


# ------------------------------------------------------------------------------------------------ these tests can fail


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("AppTraces | where Mesage has 'x'", "there is no column 'Mesage'"),
        ("AppTraces | where JobStatus == 'Failed'", "there is no column 'JobStatus'"),
        ("traces | where message has 'x'", "does not know the table traces"),
        ("AppTraces | project Message | where SeverityLevel > 2", "there is no column 'SeverityLevel'"),
        ("AppTraces | summarize Lines = count() by Message | order by TimeGenerated desc", "there is no column 'TimeGenerated'"),
        ("AppTraces | evaluate bag_unpack(Properties)", "the operator 'evaluate'"),
        ("AppTraces | where externaldata(Message)", "the function 'externaldata'"),
        ("AppTraces | parse Message with 'type=' Type ' incident='", "hides the column Type"),
        ("AppTraces | join kind=inner (CoreAzureBackup) on VaultName", "there is no column 'VaultName'"),
        ("AppTraces | summarize max(TimeGenerated)", "give it a name"),
        ("AppTraces | where (Message has 'x'", "brackets"),
        ("AppTraces | extend Code = extract('code=(.*)', 1, Mesage)", "there is no column 'Mesage'"),
        ("_AzureBackup_GetJobs(RangeBegin=ago(1d)) | count", "has no such parameter: RangeBegin"),
        (
            "_AzureBackup_GetJobs(RangeStart=ago(1d), RangeEnd=now()) | where JobStatus == 'Failed'",
            "there is no column 'JobStatus'",
        ),
        ("let Old = 1d; AppTraces | where TimeGenerated > ago(Older)", "there is no column 'Older'"),
    ],
)
def test_a_query_that_uses_what_is_not_there_is_refused(query: str, said: str) -> None:
    with pytest.raises(BadQuery, match=said.replace("(", r"\(")):
        read(query, TABLES)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("posted type=", "posted kind="),
        (" cause=", " because="),
        (" seconds=42", " seconds=soon"),
        (" vault=", " safe="),
    ],
)
def test_a_changed_log_line_is_noticed(before: str, after: str, lines: list[str]) -> None:
    assert any(before in line for line in lines)
    changed = [line.replace(before, after) for line in lines if before in line]
    assert unmatched(POSTED, changed) != []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_query_of_log_lines_notices_when_they_are_not_written(file: Path) -> None:
    query = text_of(file)
    if "AppTraces" in used_tables(query, TABLES):
        assert unmatched(query, []) != []
