""".NET Framework is missing, too old or damaged, so that the agent or its extensions do not start.

https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/windows-azure-guest-agent
https://learn.microsoft.com/dotnet/framework/install/how-to-determine-which-versions-are-installed (378389 is 4.5)
"""

from handlers.model import Asserts, Opinion, Os, Reason, Window, decide, ruled_out, unknown

OS = Os.WINDOWS
STRONG = Asserts(("UserErrorDotNetVersionUpgradeRequired",))
MEDIUM = Asserts(("GuestAgentPluginInstallCommandProcessingFailed",))


def check(window: Window) -> Opinion:
    return decide(
        ruled_out("The extension ran, or the job needed none", window.not_used | window.ran, job=window.job),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, message=window.message),
    )
