"""The same failure is diagnosed once more: what was read the first time is evidence of how it was then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from handlers.azure.arm import Azure
from handlers.diagnosis.changes import is_news
from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.evidence import alert_of, readings_of
from handlers.diagnosis.identify import identify
from handlers.model import Alert, Diagnosis, Reading


class SecondDiagnosis(Struct, frozen=True):
    """`earlier`: the facts as the last diagnosis had read them; none when it is not kept."""

    diagnosis: Diagnosis
    earlier: Mapping[str, Reading]

    @property
    def lists_new_changes(self) -> bool:
        return is_news(self.earlier, self.diagnosis)


def diagnosed_again(evidence: Mapping[str, Any] | None, otherwise: Alert, azure: Azure, now: datetime) -> SecondDiagnosis:
    """`evidence`: of the last diagnosis; without it `otherwise` says what is known of the failure."""
    failure, error = identify(alert_of(evidence) if evidence else otherwise, azure, now)
    earlier = readings_of(evidence, failure, error) if evidence else {}
    return SecondDiagnosis(diagnose_failure(failure, error, azure, now, earlier=earlier), earlier)
