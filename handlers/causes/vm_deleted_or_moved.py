"""The VM was deleted or moved, and its old id is still protected."""

from handlers.model import Opinion, confirmed, ruled_out


def check(vm_presence: str) -> Opinion:
    if vm_presence == "missing":
        return confirmed(vm_presence=vm_presence)
    return ruled_out(vm_presence=vm_presence)
