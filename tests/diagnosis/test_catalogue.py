"""Classifying: the best source that names a code wins; odd spellings, wrappers and wordings are understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.diagnosis.catalogue import causes_of, classify, entries, entry_of, title_of
from handlers.model import Alert, Error, Job, JobError
from handlers.settings import LANGUAGES

LIMIT = "UserErrorRpCollectionLimitReached"


def job(title: str = "", message: str = "", number: int = 0, **fields: str) -> Job:
    return Job("id", errors=(JobError(number, title, message),), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("sent", [LIMIT, LIMIT.lower(), "user-error rp collection_limit REACHED"])
def test_a_code_is_recognised_in_any_case_and_spacing(sent: str) -> None:
    entry = entry_of(sent)
    assert entry
    assert entry.code == LIMIT


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("ExtentionOperationFailedForManagedDisks", "ExtensionOperationFailedForManagedDisks"),
        ("UserErrorKeyvaultPermissionNotConfigured", "UserErrorKeyVaultPermissionsNotConfigured"),
        ("BackupOperationFailedV2", "BackUpOperationFailedV2"),
        ("SystemBackupOperationInProgress", "UserErrorBackupOperationInProgress"),
        ("UserErrorSkuNotAvaialable", "UserErrorSkuNotAvailable"),
    ],
)
def test_aliases_and_odd_spellings_lead_to_the_catalogues_code(sent: str, code: str) -> None:
    assert classify(Alert("x", error_code=sent), None).code == code


def test_the_job_says_more_than_the_alert() -> None:
    error = classify(Alert("x", error_code="BackUpOperationFailed"), job(title=LIMIT))
    assert (error.code, error.matched_by) == (LIMIT, "job")


def test_a_code_in_the_jobs_text_or_behind_its_link_is_found() -> None:
    assert classify(Alert("x"), job(message=f"Backup failed ({LIMIT}).")).code == LIMIT
    linked = Job("id", errors=(JobError(0, "", "", (f"See https://aka.ms/AB-{LIMIT.lower()}",)),))
    assert classify(Alert("x"), linked).matched_by == "job"


def test_the_log_is_matched_by_log_and_the_alert_by_alert() -> None:
    assert classify(Alert("x"), job(error_code=LIMIT)).matched_by == "log"
    assert classify(Alert("x", error_code=LIMIT), job(message="?")).matched_by == "alert"


@pytest.mark.parametrize(
    "message",
    ["O limite máximo da coleção do Ponto de Restauração foi atingido.", "The Restore Point  collection max limit\nhas reached."],
)
def test_known_wordings_are_matched_in_both_languages(message: str) -> None:
    error = classify(Alert("x"), job(message=message))
    assert (error.code, error.matched_by) == (LIMIT, "message")


def test_a_wrapper_gives_way_to_what_its_message_names() -> None:
    wrapped = job(
        "UserErrorCrpReportedUserError", "VMAgentStatusCommunicationError: VM Agent unable to communicate with compute service"
    )
    assert classify(Alert("x"), wrapped).code == "VMAgentStatusCommunicationError"
    assert classify(Alert("x"), job("UserErrorCrpReportedUserError", "something else")).code == "UserErrorCrpReportedUserError"


@pytest.mark.parametrize("word", ["AllocationFailed", "ResourceNotFound", "InternalError"])
def test_a_word_of_azure_resource_manager_in_a_text_does_not_hide_the_code_of_the_alert(word: str) -> None:
    failed = job("The VM is in a bad state", f"An extension failed with {word}.")
    assert classify(Alert("x", error_code="UserErrorVmNotInDesirableState"), failed).code == "UserErrorVmNotInDesirableState"
    assert classify(Alert("x"), job("?", f"{word}: VSS Writers in bad state")).code == "ExtensionFailedVssWriterInBadState"


def test_a_word_of_azure_resource_manager_is_the_error_where_nothing_else_names_it() -> None:
    assert classify(Alert("x"), job("UserErrorCrpReportedUserError", "ScopeLocked: the scope is locked")).code == "ScopeLocked"
    assert classify(Alert("x", error_code="ResourceNotFound"), None).code == "ResourceNotFound"


def test_an_unknown_code_is_kept_as_sent_and_gets_the_common_causes() -> None:
    error = classify(Alert("x", error_code="UserErrorQuantumFlux"), None)
    assert error == Error("UserErrorQuantumFlux", matched_by="alert")
    assert {"agent_unresponsive_windows", "restore_point_group_locked", "backup_in_progress"} <= {c.id for c in causes_of(error)}
    assert "unknown error code" in title_of(error, "en")


def test_nothing_at_all_is_still_classified() -> None:
    assert classify(Alert("x"), None) == Error("", matched_by="none")


def test_the_message_is_azures_own_each_sentence_once() -> None:
    twice = Job("id", errors=(JobError(1, "t", "same"), JobError(2, "t", "same")), detailed_message="more")
    assert classify(Alert("x", message="alert"), twice).message == "same\nmore"


@given(st.text(), st.text(), st.text())
def test_hostile_text_is_classified_without_an_exception(title: str, message: str, code: str) -> None:
    assert classify(Alert("x", message=message, error_code=code), job(title, message)).matched_by in (
        "job",
        "alert",
        "log",
        "message",
        "none",
    )


def test_every_code_has_a_title_in_every_language_and_a_document() -> None:
    for entry in entries().values():
        assert set(entry.title) == set(LANGUAGES)
        assert set(entry.means) == (set(LANGUAGES) if entry.code != "unknown" else set())
        assert entry.doc.startswith("https://learn.microsoft.com/")
