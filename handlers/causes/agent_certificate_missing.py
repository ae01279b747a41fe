"""The certificate with which the agent decrypts the settings of extensions is missing or has expired, or the guest's clock is wrong.

https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/troubleshoot-extension-certificates-issues-windows-vm
"""

import re

from handlers.causes import backup_ones
from handlers.model import (
    Asserts,
    Extension,
    Opinion,
    Reason,
    Unknown,
    Window,
    confirmed,
    decide,
    possible,
    ruled_out,
    unknown,
    unread,
)

STRONG = Asserts(("GuestAgentCertificateNotFound",), r"FailedHandlerGuestAgentCertificateNotFound|unable to load certificate")
MEDIUM = Asserts(("ExtensionConfigParsingFailure",))


def check(window: Window, extensions: tuple[Extension, ...] | Unknown) -> Opinion:
    listed = () if isinstance(extensions, Unknown) else extensions
    without = tuple(extension for extension in listed if re.search("certificate", extension.message, re.IGNORECASE))
    then = tuple(extension for extension in without if window.holds(extension.at))
    other = tuple(extension for extension in backup_ones(listed) if window.holds(extension.at) and extension not in without)
    return decide(
        ruled_out("The job's snapshot was taken, or it needed no extension", window.not_used, job=window.job),
        confirmed(
            "The code says so, and an extension said in the window that it had no certificate",
            unread(extensions) | (window.states and bool(then)),
            extensions=then,
        ),
        possible("An extension names the certificate, at another time or without one", bool(without), extensions=without),
        ruled_out("The backup extension had another result in the window", unread(extensions) | bool(other), extensions=other),
        unknown("Only the guest can tell", Reason.GUEST_ONLY, ~unread(extensions), message=window.message),
    )
