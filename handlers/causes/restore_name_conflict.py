"""The resource group that is restored into has a VM of the same name already.

A job's details tell the group; for a new VM no published example shows where they tell its name, so it is looked for in all of them.
"""

import re

from handlers.causes import explained, surely_then
from handlers.model import Asserts, Opinion, Reason, Unknown, Window, claim, confirmed, decide, possible, ruled_out, unknown
from handlers.model.restore import NamedVm, RestoreRequest

OPERATION = "restore"
STRONG = Asserts(("UserErrorVmAlreadyExistWithSameName",))


def check(attempt: Window, restore_request: RestoreRequest | Unknown, target_group_vms: tuple[NamedVm, ...]) -> Opinion:
    told = () if isinstance(restore_request, Unknown) else restore_request.told
    words = {*map(str.lower, told), *re.findall(r"[\w.-]+", attempt.message.lower())}
    named = tuple(vm for vm in target_group_vms if vm.name.lower() in words)
    before = tuple(vm for vm in named if vm.created_at and vm.created_at <= attempt.start)
    return decide(
        confirmed(
            "A VM that the job names was in the target group before the restore began",
            claim(bool(before)) & explained(attempt),
            target_group_vms=before,
        ),
        possible("A VM that the job names is in the target group now", bool(named), target_group_vms=named),
        ruled_out(
            "The target group had no VM when the restore ran",
            claim(not target_group_vms) & surely_then(attempt),
            target_group_vms=target_group_vms,
        ),
        unknown("The job does not tell the name of the new VM", Reason.NO_DATA, target_group_vms=target_group_vms),
    )
