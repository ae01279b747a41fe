"""Whatever JSON arrives: it is read to alerts, ignored with a reason, or left for a person, and nothing raises."""

from __future__ import annotations

import json
import time
import unicodedata
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.alerts import MOST_ELEMENTS, SOURCES, read
from handlers.alerts.fields import walk
from handlers.model import Alert, Ignored, Unreadable
from tests.alerts.samples import OTHER, OWN, PUBLISHED, changed, one_alert, one_reason, sample, samples_in

OURS = samples_in(OWN).keys() | {"azure_backup_builtin_job_failure_sql_fired.json"}
SAMPLES = samples_in(OWN) | samples_in(OTHER) | samples_in(PUBLISHED)
SOURCE_NAMES = {str(vars(source)["__name__"]).rpartition(".")[2] for source in SOURCES}

texts = st.text(max_size=12) | st.sampled_from(
    ["", "\x00\x1b[31mx\n", "\ud800", "\u202e", "Failed", "2026-11-20T02:41:07.1834562Z"]
)
numbers = st.integers() | st.floats() | st.just(10**4000)
any_json = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
NAMES = """schemaId data essentials alertContext monitoringService conditionType condition allOf metricName dimensions name
value category extendedInfo protectedItemId operationName status eventType specversion type SearchResults tables columns
rows context activityLog searchQuery"""
WORDS = """Azure Backup
azureMonitorCommonAlertSchema
Platform
BackupHealthEvent
LogQueryCriteria
Log Analytics
Jobs
AddonAzureBackupJobs
JobUniqueId
AzureMonitorMetricAlert
Microsoft.Insights/activityLogs
Activity Log - Administrative
1.0
Failed
Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action
Microsoft.Resources.ResourceActionFailure"""
words, familiar = st.sampled_from(NAMES.split()), st.sampled_from(WORDS.splitlines())
alert_like = st.recursive(
    st.none() | numbers | texts | familiar,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=6),
    max_leaves=30,
)


def paths(body: Any) -> list[tuple[str | int, ...]]:
    """The way to every value inside."""
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [(key, *rest) for key, found in inner for rest in [(), *paths(found)]]


@st.composite
def mutilated(draw: st.DrawFn) -> Any:
    """A sample in which up to three values were deleted, set to null or replaced by anything."""
    body = deepcopy(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))])
    for _ in range(draw(st.integers(1, 3))):
        ways = paths(body)
        if ways:
            *way, last = draw(st.sampled_from(ways))
            holder = body
            for step in way:
                holder = holder[step]
            if draw(st.booleans()):
                del holder[last]
            else:
                holder[last] = draw(st.none() | any_json | familiar)
    return body


def is_line(text: Any) -> bool:
    return isinstance(text, str) and all(unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def assert_sound(found: list[Alert | Ignored | Unreadable]) -> None:
    assert found
    for alert in found:
        assert isinstance(alert, Alert | Ignored | Unreadable)
        if isinstance(alert, Ignored):
            assert alert.reason
            assert is_line(alert.reason)
            assert len(alert.reason) <= 300
        if isinstance(alert, Alert):
            assert_sound_alert(alert)


def assert_sound_alert(alert: Alert) -> None:
    assert alert.source in SOURCE_NAMES
    assert isinstance(alert.fired, bool)
    assert alert.fired_at is None or (isinstance(alert.fired_at, datetime) and alert.fired_at.tzinfo == UTC)
    assert alert.severity in ("", "Sev0", "Sev1", "Sev2", "Sev3", "Sev4")
    assert is_line(alert.message.replace("\n", ""))
    assert len(alert.message.encode()) <= 8_192
    for name in alert.__struct_fields__:
        if name not in ("fired", "fired_at", "message"):
            assert is_line(getattr(alert, name)), name
            assert len(getattr(alert, name)) <= 4_100, name


@pytest.mark.slow
@given(any_json | alert_like)
@settings(max_examples=400, deadline=None)
def test_any_json_is_read_without_an_exception(body: Any) -> None:
    assert_sound(read(body))


@pytest.mark.slow
@given(mutilated())
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_a_mutilated_alert_is_read_without_an_exception(body: Any) -> None:
    assert_sound(read(body))


@pytest.mark.slow
@pytest.mark.parametrize("junk", [None, [], {}, 7, True, "", ["x"], {"x": 1}, "\x00", "\ud800", 10**4000], ids=repr)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_single_field_may_hold_anything(name: str, junk: Any) -> None:
    for path in paths(SAMPLES[name]):
        assert_sound(read(changed(SAMPLES[name], *path, to=junk)))


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_sample_is_claimed_and_only_failed_backups_become_alerts(name: str) -> None:
    found = read(SAMPLES[name])
    assert_sound(found)
    assert not any(isinstance(alert, Unreadable) for alert in found)
    assert any(isinstance(alert, Alert) for alert in found) == (name in OURS)


@pytest.mark.parametrize(
    "body", [None, True, 0, 1.5, "", "Backup failed", {}, {"hello": "world"}, {"data": {}}, {"searchQuery": "x"}]
)
def test_json_that_no_source_claims_is_left_for_a_person_as_received(body: Any) -> None:
    assert read(body) == [Unreadable(body)]


def test_an_alert_that_lost_its_service_and_its_context_is_left_for_a_person() -> None:
    body = {"schemaId": "azureMonitorCommonAlertSchema", "data": {"essentials": {"alertRule": "r"}, "alertContext": None}}
    assert read(body) == [Unreadable(body)]


def test_an_array_is_read_element_by_element() -> None:
    found = read([sample("azure_backup_vm"), sample("budget"), {"hello": "world"}, *sample("event_grid")])
    assert [type(alert) for alert in found] == [Alert, Ignored, Unreadable, Alert]


@pytest.mark.parametrize(
    "body", [[], [[]], [1, 2, 3], [{"hello": "world"}] * 3, [sample("azure_backup_vm")] * (MOST_ELEMENTS + 1)]
)
def test_an_array_of_which_nothing_is_known_or_that_is_no_batch_is_one_thing_for_a_person(body: Any) -> None:
    (found,) = read(body)
    assert isinstance(found, Unreadable)
    assert found.body is body


@pytest.mark.parametrize("service", ["CostAlerts", "Prometheus", "Azure Site Recovery", "A Service of 2030"])
def test_an_alert_of_another_service_is_ignored_by_its_service_and_rule(service: str) -> None:
    body = changed(sample("budget"), "data", "essentials", "monitoringService", to=service)
    assert service in one_reason(body)
    assert "'r-1'" in one_reason(changed(body, "data", "essentials", "alertRule", to="r-1"))


@pytest.mark.parametrize("name", ["service_health", "resource_health"])
def test_the_health_of_services_and_resources_is_ignored_by_its_operation(name: str) -> None:
    assert sample(name)["data"]["alertContext"]["operationName"] in one_reason(sample(name))


def test_words_are_compared_without_case_and_spaces_and_the_signal_type_says_nothing() -> None:
    body = json.loads(
        json.dumps(sample("azure_backup_vm")).replace('"Azure Backup"', '"AZUREBACKUP"').replace('"Jobs"', '"jobs "')
    )
    for signal in ("Metric", "Activity Log", None, 4):
        assert one_alert(changed(body, "data", "essentials", "signalType", to=signal)) == one_alert(sample("azure_backup_vm"))


def test_field_names_in_another_case_are_understood() -> None:
    body = json.loads(json.dumps(sample("azure_backup_vm")).replace('"protectedItemId"', '"ProtectedItemID"'))
    assert one_alert(body) == one_alert(sample("azure_backup_vm"))


@pytest.mark.parametrize(("sent", "read_as"), [("Sev3", "Sev3"), ("3", "Sev3"), (3, "Sev3"), ("sev 0", "Sev0"), ("SEV4", "Sev4"),
                                               ("Sev5", ""), ("Warning", ""), (None, ""), ([], ""), (True, "")])  # fmt: skip
def test_the_severity_is_one_of_five_words_or_empty(sent: Any, read_as: str) -> None:
    assert one_alert(changed(sample("azure_backup_vm"), "data", "essentials", "severity", to=sent)).severity == read_as


def test_a_name_with_control_characters_is_shown_on_one_line() -> None:
    rule = "a\r\nb\x00\t\x1b[31mc\u202ed\ud800"
    assert one_alert(changed(sample("log_search_v2"), "data", "essentials", "alertRule", to=rule)).rule == "a b cd"


@pytest.mark.parametrize("start", ["", "x", "xy"])
def test_a_message_keeps_its_lines_and_is_cut_to_eight_kibibytes(start: str) -> None:
    message = f"first\r\nsecond\x07\x1b[0m {start}" + "ção" * 10_000
    read_as = one_alert(changed(sample("azure_backup_vm"), "data", "essentials", "description", to=message)).message
    assert read_as.startswith(f"first\nsecond {start}çãoção")
    assert 8_100 < len(read_as.encode()) <= 8_192


def test_text_is_found_at_any_depth_in_its_order() -> None:
    assert list(walk({"a": ["1", {"b": "2"}], "c": {"d": [["3"]], "e": "4"}, "f": 5})) == ["1", "2", "3", "4"]


@pytest.mark.slow
def test_a_very_deep_body_is_read() -> None:
    deep: Any = "Azure Backup"
    for _ in range(200_000):
        deep = {"data": [deep]}
    (found,) = read(deep)
    assert isinstance(found, Unreadable)
    for path in (("essentials",), ("essentials", "description"), ("alertContext",), ("alertContext", "extendedInfo")):
        assert_sound(read(changed(sample("azure_backup_vm"), "data", *path, to=deep)))
    for path in (("properties",), ("properties", "statusMessage"), ("authorization",)):
        assert_sound(read(changed(sample("activity_log"), "data", "alertContext", *path, to=deep)))


@pytest.mark.slow
@pytest.mark.parametrize("body", [
    {f"key-{number}": number for number in range(100_000)},
    {"data": {"essentials": {f"key-{number}": number for number in range(100_000)}}},
    [{}] * MOST_ELEMENTS,
    [{"data": 1}] * 300_000,
    "x" * 1_000_000,
    {"x" * 1_000_000: 1},
    changed(sample("azure_backup_vm"), "data", "essentials", "originAlertId", to="azureworkload" * 80_000),
    changed(sample("azure_backup_vm"), "data", "alertContext", "protectedItemId", to="/subscriptions/x/" * 60_000),
    changed(sample("azure_backup_vm"), "data", "alertContext", "extendedInfo", to=["aka.ms/AB-"] * 100_000),
    changed(sample("log_search_v2"), "data", "alertContext", "condition", "allOf", to=[{"dimensions": [{}] * 100}] * 1_000),
    changed(sample("activity_log"), "data", "alertContext", "properties", to={"statusMessage": "[" * 500_000}),
    changed(sample("activity_log"), "data", "alertContext", "properties", to={"statusMessage": json.dumps([1] * 200_000)}),
], ids=range(12))  # fmt: skip
def test_a_huge_body_is_read_in_seconds(body: Any) -> None:
    began = time.thread_time()
    assert_sound(read(body))
    assert time.thread_time() - began < 10, "seconds of the processor, whatever else it does"
