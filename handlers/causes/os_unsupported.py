"""Azure Backup does not support the VM's operating system, unless the policy needs nothing in the guest.

https://learn.microsoft.com/azure/backup/backup-support-matrix-iaas: Windows 10 and 11, Windows Server 2008 and later, the Linux
distributions that Azure endorses; no CoreOS, nothing of 32 bits. Any other Linux may work.
"""

import re

from handlers.causes import model_of_vm
from handlers.model import (
    Asserts,
    OperatingSystem,
    Opinion,
    Reason,
    Window,
    claim,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
)

STRONG = Asserts(("UserErrorUnSupportedDistribution",))
MEDIUM = Asserts(("GuestAgentPluginInstallCommandProcessingFailed",))
UNSUPPORTED = re.compile(
    r"\bcoreos\b|\b32[- ]?bit\b|\b(i[3-6]86|x86)\b(?![_-]64)|windows (xp|vista|7|8|8\.1)\b|windows server 200[03]\b",
    re.IGNORECASE,
)
SUPPORTED = re.compile(
    r"windows server (2008|201[269]|202[25])|windows ?server 20\d\d-datacenter|windows 1[01]\b"
    r"|ubuntu|canonical|debian|redhat|red hat|rhel|centos|rocky|almalinux|suse|sles|oracle|azurelinux|mariner",
    re.IGNORECASE,
)
"""https://learn.microsoft.com/azure/virtual-machines/linux/endorsed-distros"""


def check(window: Window, operating_system: OperatingSystem) -> Opinion:
    named, seen = str(operating_system), model_of_vm(window)
    unfit = UNSUPPORTED.search(named) is not None
    fit = not unfit and bool(operating_system.image) and SUPPORTED.search(named) is not None
    return decide(
        ruled_out("The job needed nothing in the guest", window.agentless, snapshot_policy=window.policy),
        confirmed(
            "It is one that Azure Backup does not support, and was when the job ran",
            window.explains(unfit, seen),
            operating_system=operating_system,
        ),
        possible(
            "It is one that Azure Backup does not support, but backups succeeded with it, or it may be new",
            unfit,
            operating_system=operating_system,
        ),
        ruled_out(
            "It is an image of a supported one, and was when the job ran",
            claim(fit) & window.held(seen),
            operating_system=operating_system,
        ),
        unknown("What the VM says does not decide it", Reason.NO_DATA, operating_system=operating_system),
    )
