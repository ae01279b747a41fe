"""Story: somebody checks a storm again. One VM is read now, the one whose steps the page shows; the others in the background."""

from collections.abc import Iterator

from handlers.backup_recovered import record_recovery
from handlers.diagnosis.again import SecondDiagnosis, diagnosed_again
from handlers.diagnosis.diagnose_members import Look
from handlers.diagnosis.evidence import diagnosis_of, evidence_of
from handlers.facts.jobs import completed_if_read
from handlers.model import Incident, Members, Storm
from handlers.model.delivery import OPEN
from handlers.model.document import Document
from handlers.model.ids import subscription_of
from handlers.model.incident import ALONE
from handlers.model.storm import members_of
from handlers.records.alert_queue import Message
from handlers.records.histories import History
from handlers.records.reminders import remind
from handlers.records.storm_members import keep_look, members_in
from handlers.records.storms import announce, start_pass
from handlers.records.write_up import document_of
from handlers.runbook.render import fixed_by
from handlers.web.pages import READS_A_CHECK
from handlers.web.views import Checked, checked_of, with_counts
from handlers.wiring import Tools


def check_storm(storm: Storm, history: History, tools: Tools) -> Checked:
    """What is different now of the example and in the counts; everything else follows with the storm's next reading."""
    members = members_of(members_in(storm, tools))
    example = next(examples(storm, members, tools), None)
    checked = check_example(*example, tools) if example else Checked("nothing")
    start_pass(storm, tools.storms, tools.queue, tools.now(), again=True)
    announce(storm, tools.queue, 1)
    return with_counts(checked, history.newest.data, members.affected, members.recovered + (checked.outcome == "recovered"))


def examples(storm: Storm, members: Members, tools: Tools) -> Iterator[tuple[Incident, Document]]:
    """Open members with a diagnosis that may be read now; first the one whose steps the page shows."""
    for member in filter(None, (members.example(fixed_by(storm)), *members.shown)):
        spare = tools.azure.budget.spare(subscription_of(member.vault_id))
        if member.status == OPEN and member.verdicts and spare >= READS_A_CHECK:
            document = tools.documents.newest(member.id, member.delivery.version)
            yield from [(member, document)] if document else []


def check_example(member: Incident, document: Document, tools: Tools) -> Checked:
    """What is different of one member; its row follows."""
    now, message, evidence = tools.now(), Message("check", since=tools.now()), document.evidence or {}
    again: SecondDiagnosis = diagnosed_again(evidence, member.alert(), tools.azure, now)
    if job := completed_if_read(again.diagnosis.failure, member.last_failed_at, tools.azure):
        ended = record_recovery(member, job, tools)
        remind(ended.reminder if ended else None, 0, tools.queue)
        return Checked("recovered", job=str(job), example=member.item_name)
    keep_look(Look(member, again.diagnosis, ALONE, evidence_of(again.diagnosis, now)), tools)
    before, data = (
        document_of(member, diagnosis, message, tools).data for diagnosis in (diagnosis_of(evidence), again.diagnosis)
    )
    return checked_of(before, data, again.diagnosis.recovery.running, member.item_name)
