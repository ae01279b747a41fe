"""Story: a storm's members are diagnosed in the background: a few of each vault alone, the others from what is read in bulk."""

from itertools import chain, islice, takewhile

from handlers.diagnosis.diagnose_members import look_alone, look_in_bulk
from handlers.facts.bulk.graph_rows import LAG
from handlers.model import Incident, Storm, subscription_of
from handlers.model.delivery import OPEN
from handlers.model.storm import is_sampled
from handlers.records.alert_queue import Message
from handlers.records.storm_members import keep_look
from handlers.records.storms import MEMBERS_PASS, announce, fields_of_pass
from handlers.wiring import Tools

PASS_SECONDS = 5.0
"""Between two passes."""
MEMBERS_A_PASS = 250
READS_ALONE = 15.0


def diagnose_members(message: Message, tools: Tools) -> None:
    """One pass; the next one is queued. One at a time: alerts and recoveries need the processor too."""
    fields = message.fields
    storm, after, alone = tools.storms.find(str(fields["storm"])), str(fields["after"]), list(fields.get("alone", ()))
    again = bool(fields.get("again"))
    if storm is None or storm.id != fields["id"] or storm.status != OPEN:
        return
    more = True
    if tools.storms.passing.acquire(blocking=False):
        try:
            after, more = pass_over(storm, after, alone, tools, again=again)
        finally:
            tools.storms.passing.release()
    if more:
        tools.storms.note_pass(storm, tools.now(), again=again)
        tools.queue.note(MEMBERS_PASS, after_seconds=PASS_SECONDS, **fields_of_pass(storm, after, alone, again=again))
    elif again:
        announce(storm, tools.queue, 1)


def pass_over(storm: Storm, after: str, alone: list[str], tools: Tools, *, again: bool = False) -> tuple[str, bool]:
    """Diagnose some members; the key behind which others wait, and whether any do. `alone`: the vaults of those read alone.

    `again`: somebody checks again, so those that have a diagnosis wait too.
    """
    waiting = (member for member in tools.incidents.members(storm.id, after) if member.status == OPEN)
    members = list(islice((member for member in waiting if again or not member.diagnosed), MEMBERS_A_PASS))
    settled = [member for member in members if member.last_failed_at <= tools.now() - LAG]
    sample = [member for member in settled if is_sampled(member, alone, lambda member: may_read_alone(member, tools))]
    others = [member for member in settled if member not in sample]
    for look in chain(look_alone(sample, tools.azure, tools.now()), look_in_bulk(others, tools.azure, tools.now())):
        keep_look(look, tools)
    done = [member.key for member in takewhile(lambda member: member in settled, members)]
    return (done or [after])[-1], len(settled) < len(members) or len(members) == MEMBERS_A_PASS


def may_read_alone(member: Incident, tools: Tools) -> bool:
    return tools.azure.budget.spare(subscription_of(member.vault_id)) >= READS_ALONE
