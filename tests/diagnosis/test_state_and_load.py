"""A failed state is shown below what caused it; a fact that is read for few errors is not missed for the others."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers.model import Os, Reason, Verdict
from sandbox.azure import running_azure
from sandbox.scenario import FOLDER, load
from tests.diagnosis.test_codes import diagnosis_of, failure_of
from tests.golden import diagnosis_of as diagnosis_in


@pytest.mark.server
def test_a_vms_failed_state_stands_below_the_extension_that_failed() -> None:
    scenario = load(FOLDER / "vm_failed_by_an_extension_linux.yaml")
    with running_azure([scenario]) as azure:
        findings = diagnosis_in(scenario, azure.url, datetime.now(UTC)).findings
    confirmed = [finding.cause for finding in findings if finding.verdict is Verdict.CONFIRMED]
    assert confirmed == ["other_extension_failed", "vm_provisioning_failed"]


def test_for_an_error_that_does_not_point_to_the_load_it_is_not_read_and_no_evidence_stands_for_it() -> None:
    diagnosis = diagnosis_of(failure_of("UserErrorGuestAgentStatusUnavailable", "Backup"), Os.LINUX)
    (finding,) = (finding for finding in diagnosis.findings if finding.cause == "vm_resources_exhausted")
    assert "vm_load" not in diagnosis.readings
    assert (finding.verdict, finding.why and finding.why.why) == (Verdict.UNKNOWN, Reason.NOT_POINTED)
    assert "vm_load" not in [evidence.fact for evidence in finding.evidence]
