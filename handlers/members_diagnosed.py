"""Story: a storm's members are diagnosed one after the other in the background, with reads that nobody else needs now."""

from handlers.diagnosis.diagnose import diagnose_failure
from handlers.diagnosis.evidence import evidence_of
from handlers.diagnosis.identify import identify
from handlers.model import Incident, Storm, subscription_of
from handlers.model.delivery import OPEN
from handlers.model.document import Document
from handlers.model.incident import member_diagnosed
from handlers.records.alert_queue import Message
from handlers.records.storms import MEMBERS_PASS
from handlers.wiring import Tools

PASS_SECONDS = 5.0
"""Between two passes."""
MEMBERS_A_PASS = 50
READS_A_MEMBER = 15.0


def diagnose_members(message: Message, tools: Tools) -> None:
    """One pass; the next one is queued. One at a time: alerts and recoveries need the processor too."""
    storm, after = tools.storms.find(str(message.fields["storm"])), str(message.fields["after"])
    if storm is None or storm.id != message.fields["id"] or storm.status != OPEN:
        return
    more = True
    if tools.storms.passing.acquire(blocking=False):
        try:
            after, more = pass_over(storm, after, tools)
        finally:
            tools.storms.passing.release()
    if more:
        tools.storms.note_pass(storm, tools.now())
        tools.queue.note(MEMBERS_PASS, after_seconds=PASS_SECONDS, storm=storm.key, id=storm.id, after=after)


def pass_over(storm: Storm, after: str, tools: Tools) -> tuple[str, bool]:
    """Diagnose some members; the key of the last one, and whether there are more."""
    waiting = (member for member in tools.incidents.members(storm.id, after) if member.status == OPEN and not member.diagnosed)
    for count, member in enumerate(waiting):
        subscription = subscription_of(member.vault_id)
        if count == MEMBERS_A_PASS or (subscription and tools.azure.budget.spare(subscription) < READS_A_MEMBER):
            return after, True
        diagnose_member(member, tools)
        after = member.key
    return after, False


def diagnose_member(member: Incident, tools: Tools) -> None:
    failure, error = identify(member.alert(), tools.azure, tools.now())
    diagnosis = diagnose_failure(failure, error, tools.azure, tools.now(), sharing=True, surroundings=False)
    document = Document("incident", OPEN, {}, (), diagnosis.verdicts, evidence=evidence_of(diagnosis, tools.now()))
    tools.documents.write(member.id, member.delivery.version, document)
    tools.incidents.change(member.key, lambda fresh: member_diagnosed(fresh, member.failures, diagnosis.verdicts))
