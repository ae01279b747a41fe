"""Extension handling is switched off in /etc/waagent.conf, so a Ready agent runs no extension.

https://github.com/Azure/WALinuxAgent#configuration-file-options (the option is Extensions.Enabled)
"""

from handlers.causes import state_of
from handlers.model import (
    Agent,
    Asserts,
    Extension,
    Opinion,
    Os,
    Reason,
    Unknown,
    Window,
    any_of,
    confirmed,
    decide,
    possible,
    ruled_out,
    state,
    unknown,
    unread,
)

OS = Os.LINUX
STRONG = Asserts(message=r"extension processing is disabled|Extensions\.Enabled|not specified as an allowed extension")
MEDIUM = Asserts(("GuestAgentSnapshotTaskStatusError", "VMRestorePointInternalError"))


def check(
    window: Window,
    agent: Agent | Unknown | None,
    extensions: tuple[Extension, ...] | Unknown,
    extension_names: tuple[str, ...] | Unknown,
) -> Opinion:
    shown = () if isinstance(extensions, Unknown) else extensions
    worked = any(state_of(extension) == "succeeded" and window.holds(extension.at) for extension in shown)
    saying = tuple(extension for extension in shown if STRONG.names_message(extension.message))
    idle = ~unread(extensions) & all(extension.changing or not extension.state for extension in shown)
    return decide(
        ruled_out("The extension ran, or another one succeeded in the window", window.ran | worked, extensions=shown),
        ruled_out("The job needed no agent, or its snapshot was taken", window.not_used, job=window.job),
        confirmed("The message says so", STRONG.names_message(window.message), message=window.message),
        confirmed(
            "The agent says so in an extension's status",
            any_of(*(window.explains(True, state(found.at)) for found in saying)),
            extensions=saying,
        ),
        possible("The agent says so, but the time is open", bool(saying), extensions=saying),
        possible(
            "The agent is Ready, and no extension of the model works",
            window.listed & window.ready(agent) & ~unread(extension_names) & bool(extension_names) & idle,
            agent=agent,
            extensions=extensions,
            extension_names=extension_names,
        ),
        unknown("The agent does not report", Reason.AGENT_NOT_READY, ~window.ready(agent), agent=agent),
        unknown("Only /etc/waagent.conf tells", Reason.GUEST_ONLY, agent=agent, extension_names=extension_names),
    )
