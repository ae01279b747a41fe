"""Render a diagnosis as a runbook: one page of Markdown, and the same steps as data.

Templates are per language, command lines are shared by the languages. In a Markdown template `{{ value }}` prints a code span;
in a command template it prints one quoted word for that shell. See templates/README.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from types import MappingProxyType
from typing import Any

from jinja2 import Template

from handlers.diagnosis import catalogue
from handlers.diagnosis.changes import changes_since_good
from handlers.model import (
    Command,
    Diagnosis,
    Failure,
    Finding,
    History,
    Incident,
    Members,
    Os,
    ResourceId,
    Runbook,
    Step,
    Storm,
    Surroundings,
    Unknown,
    Verdict,
    time_text,
)
from handlers.model.comparison import SharedThing
from handlers.model.parts import Part, joined, mark, parts_of
from handlers.model.text import one_line
from handlers.runbook.changes import sentence_of, told
from handlers.runbook.markup import NEXT_BLOCK, Markdown, as_markdown, code_block, code_span, url_path
from handlers.runbook.templates import SHELLS, actions, block, cause_template, cause_title, environment, reason_of, words_of

AZURE = "https://management.azure.com"
NOTHING_KNOWN = Surroundings()
PORTALS = {
    "management.usgovcloudapi.net": "https://portal.azure.us",
    "management.chinacloudapi.cn": "https://portal.azure.cn",
}


def render(
    diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE, history: History | None = None,
    about: Surroundings = NOTHING_KNOWN,
) -> Runbook:  # fmt: skip
    """The runbook of a diagnosis in a language of `LANGUAGES`; `history` is what was before it in the same incident."""
    page, parts = _rendered(diagnosis, language, arm_endpoint, history, about)
    markdown = joined(parts)
    return Runbook(
        language=language,
        title=one_line(environment("md").get_template(f"{language}/title.md.j2").render(page.context), 250),
        markdown=markdown,
        titles=MappingProxyType(page.titles),
        steps=MappingProxyType(page.steps),
        parts=parts,
        error_title=catalogue.title_of(diagnosis.error, language),
        changes=page.context["changes"],
        told_changes=told(page.context["changes"], language, show_actors=about.show_actors),
    )


def commands_of(diagnosis: Diagnosis, action: str, arguments: Mapping[str, Any], language: str) -> tuple[Command, ...]:
    """An action of `commands.toml` with its look and its undo, as a page of this diagnosis would show it."""
    return tuple(_Page(diagnosis, language, AZURE).commands_of(action, arguments))


def to_markdown(diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE) -> str:
    """The runbook's Markdown alone."""
    return joined(_rendered(diagnosis, language, arm_endpoint, None, NOTHING_KNOWN)[1])


def _rendered(
    diagnosis: Diagnosis, language: str, arm_endpoint: str, history: History | None, about: Surroundings
) -> tuple[_Page, tuple[Part, ...]]:
    page = _Page(diagnosis, language, arm_endpoint, history, about)
    template = environment("md").get_template(f"{language}/runbook.md.j2")
    return page, parts_of(template.render(page.context))


def render_storm(
    storm: Storm, members: Members, diagnosis: Diagnosis | None, language: str, arm_endpoint: str = AZURE, names_file: str = ""
) -> Runbook:
    """The page of a storm: what its members share, what to do, shown for one of them (`diagnosis`), and who they are.

    `names_file`: where all names are, when the page has not room for them.
    """
    if diagnosis is None:
        failure = Failure.of(members.shown[0].alert(), None, storm.opened_at)
        diagnosis = Diagnosis(failure, catalogue.error_of(storm.code), (), {})
    page, pages = _Page(diagnosis, language, arm_endpoint), environment("md")
    page.context |= {"storm": storm, "members": members, "fix": fix_of(storm, diagnosis), "names_file": names_file}
    page.context |= {"item_link": page.item_link, "ticket_link": ticket_link, "thing_link": page.thing_link}
    parts = parts_of(pages.get_template(f"{language}/storm.md.j2").render(page.context))
    markdown = joined(parts)
    return Runbook(
        language=language,
        title=one_line(pages.get_template(f"{language}/storm_title.md.j2").render(page.context), 250),
        markdown=markdown,
        titles=MappingProxyType(page.titles),
        steps=MappingProxyType(page.steps),
        parts=parts,
        error_title=catalogue.title_of(diagnosis.error, language),
    )


FIXES = {
    "lock": "restore_point_group_locked",
    "network_security_group": "no_outbound_access",
    "route_table": "no_outbound_access",
    "key_vault": "key_vault_permissions_missing",
    "encryption_set": "encryption_key_unreachable",
}
"""By kind of a shared thing the cause whose steps put it right."""


def fixed_by(storm: Storm) -> str:
    """The cause whose steps put right what all share; empty when no cause's do."""
    return FIXES.get(storm.shared.kind, "") if storm.shared else ""


def fix_of(storm: Storm, diagnosis: Diagnosis) -> Finding | None:
    """The finding whose steps put right what all share: confirmed, and about this very thing."""
    for finding in diagnosis.findings:
        if storm.shared and finding.cause == fixed_by(storm) and finding.verdict is Verdict.CONFIRMED:
            named = storm.shared.name.lower() in str([evidence.value for evidence in finding.evidence]).lower()
            return finding if named else None
    return None


def ticket_link(incident: Incident) -> Markdown:
    """The incident's own ticket; empty when it has none."""
    ticket = incident.delivery.ticket
    return link_to(ticket.ticket_id, ticket.ticket_url)


def link_to(ticket_id: str, url: str) -> Markdown:
    """A ticket's id, leading to it; empty without an id."""
    if not ticket_id:
        return Markdown("")
    name = code_span(ticket_id, 60)
    return Markdown(f"[{name}]({url_path(url)})") if url.startswith("https://") else name


class _Page:
    """One rendering: what the templates see, and the steps that they record on the way."""

    def __init__(
        self, diagnosis: Diagnosis, language: str, arm_endpoint: str, history: History | None = None,
        about: Surroundings = NOTHING_KNOWN,
    ) -> None:  # fmt: skip
        self.language, self.os = language, diagnosis.os
        self.words = words_of(language)
        self.steps: dict[str, tuple[Step, ...]] = {}
        self.titles = {finding.cause: cause_title(language, finding.cause) for finding in diagnosis.findings}
        self._recorded: list[Step] = []
        self._commands: list[Command] = []
        self._blocks: list[str] = []
        self._looks: dict[tuple[str, ...], int] = {}
        self._portal = PORTALS.get(arm_endpoint.partition("://")[2].rstrip("/"), "https://portal.azure.com")
        self.context: dict[str, Any] = (
            self._context(diagnosis)
            | self._surroundings(diagnosis, about)
            | {
                "history": history,
                "cause_title": lambda cause: Markdown(cause_title(language, cause)),
                "cause_why": lambda cause: Markdown(
                    " ".join(block(cause_template(language, cause), "why", self.context).split())
                ),
            }
        )

    def _context(self, diagnosis: Diagnosis) -> dict[str, Any]:
        failure, error = diagnosis.failure, diagnosis.error
        facts = _Facts({name: reading.value for name, reading in diagnosis.readings.items()})
        names = _names(diagnosis)
        return {
            **names,
            "failure": failure, "alert": failure.alert, "job": failure.job, "error": error, "facts": facts,
            "error_title": Markdown(catalogue.title_of(error, self.language)),
            "doc": Markdown(_doc(error.code, error.in_catalogue)),
            "findings": diagnosis.findings,
            "by_verdict": {v.value: [f for f in diagnosis.findings if f.verdict is v] for v in Verdict},
            "os": diagnosis.os.value if diagnosis.os else "", "windows": diagnosis.os is not Os.LINUX, "linux": diagnosis.os is not Os.WINDOWS,
            "distribution": facts.vm.distribution if facts.vm else "",
            "title_of": lambda finding: Markdown(self.titles[finding.cause]),
            "why_of": self._why, "evidence_of": self._evidence, "steps_of": self._steps_of,
            "reason": self._reason, "step": self._step, "run": self._run, "actions": self._actions_shown, "word": self._word, "portal": self._portal_link,
            "part": lambda kind="": Markdown(mark(kind)),
        }  # fmt: skip

    def _surroundings(self, diagnosis: Diagnosis, about: Surroundings) -> dict[str, Any]:
        """What changes.md.j2 and whose.md.j2 see."""
        return {
            "changes": changes_since_good(diagnosis),
            "told": lambda change: Markdown(sentence_of(change, self.language, code_span)),
            "actor": lambda change: code_span(change.who, 120) if change.who and about.show_actors else Markdown(""),
            "owner": about.owner,
            "earlier": about.earlier,
            "past_ticket": lambda past: link_to(past.ticket_id, past.ticket_url),
        }

    # ------------------------------------------------------------------ what a template may call

    def _steps_of(self, finding: Finding) -> Markdown:
        """The steps of a cause as a numbered list; recorded for the ticket event on the way."""
        self._recorded, self._blocks, self._looks = [], [], {}
        block(self._cause(finding.cause), "steps", self.context)
        self.steps[finding.cause] = tuple(self._recorded)
        return Markdown("\n\n".join(self._blocks))

    def _step(self, caller: Callable[[], str]) -> Markdown:
        """`{% call step() %}text {{ run("action") }}{% endcall %}`: one numbered step."""
        self._commands = []
        text, shown = " ".join(caller().split()), list(self._all_shown(self._commands))
        self._recorded.append(Step(text, tuple(self._commands)))
        number = f"{len(self._recorded)}. "
        body = "\n\n".join([text, *shown])
        indented = body.replace("\n", "\n" + " " * len(number))
        self._blocks.append(number + "\n".join(line.rstrip() for line in indented.split("\n")))
        return Markdown("")

    def _run(self, action: str, **arguments: Any) -> Markdown:
        self._commands += self.commands_of(action, arguments)
        return Markdown("")

    def commands_of(self, action: str, arguments: Mapping[str, Any]) -> list[Command]:
        """The command lines of an action; before one that changes something its look, after it its undo, if it has one."""
        about = actions()[action]
        roles = (("look", about.look), ("act", action), ("undo", about.undo))
        return [command for role, name in roles if name for command in self._lines_of(name, arguments, role)]

    def _actions_shown(self, *names: str) -> Markdown:
        """Actions outside a step, such as how to verify the fix."""
        self._recorded, self._looks = [], {}
        return Markdown("\n\n".join(self._all_shown([command for name in names for command in self.commands_of(name, {})])))

    def _all_shown(self, commands: Sequence[Command]) -> Iterator[str]:
        """The blocks, after an action what one should see then, and for a look that an earlier step has shown only its number."""
        for (action, role), together in groupby(commands, key=lambda command: (command.action, command.role)):
            group = list(together)
            earlier = self._seen_in_step(group)
            if role == "look" and earlier:
                yield self.words["roles"]["look_again"].format(step=earlier)
            else:
                yield from _in_shells(group, self.words)
            if role == "act" and action in self.words["expected"]:
                yield f"{self.words['roles']['expected']}: {self.words['expected'][action]}"

    def _seen_in_step(self, group: Sequence[Command]) -> int:
        """The earlier step of this cause that shows the same commands, 0 if none does; they are remembered for the next steps."""
        own = len(self._recorded) + 1
        earlier = self._looks.setdefault(tuple(command.line for command in group), own)
        return earlier if earlier < own else 0

    def _lines_of(self, action: str, arguments: Mapping[str, Any], role: str) -> list[Command]:
        about, commands = actions()[action], []
        for suffix in filter(lambda suffix: about.fits(suffix, self.os), about.suffixes):
            template = environment(suffix).get_template(f"commands/{action}.{suffix}.j2")
            for text in template.render({**self.context, **arguments}).split(NEXT_BLOCK):
                if line := _lines(text):
                    commands.append(Command(action, role, SHELLS[suffix], about.run, about.effect, line))
        return commands

    def _why(self, finding: Finding) -> Markdown:
        """Why the cause is unknown, as a sentence; else what the cause is, in the cause's own words."""
        if finding.why is None:
            return Markdown(" ".join(block(self._cause(finding.cause), "why", self.context).split()))
        return self._reason(finding.why)

    def _reason(self, why: Unknown) -> Markdown:
        """Why something could not be read, as a sentence."""
        return reason_of(why, self.language)

    def _evidence(self, finding: Finding) -> list[dict[str, Any]]:
        """The evidence lines: label, shown value, where read, when."""
        return [
            {
                "label": Markdown(self.words["facts"].get(evidence.fact, evidence.fact)),
                "value": self._value(evidence.value),
                "source": evidence.source,
                "read_at": Markdown(time_text(evidence.read_at)),
            }
            for evidence in finding.evidence
        ]

    def _value(self, value: Any) -> Markdown:
        if isinstance(value, list):
            shown = [self._value(item) for item in value[:10]]
            more = [Markdown(f"+ {len(value) - 10}")] if len(value) > 10 else []
            return Markdown("; ".join(shown + more) or self.words["values"]["none"])
        known = self.words["values"].get({True: "yes", False: "no", None: "unread"}.get(value, str(value)))
        return Markdown(known) if known else Markdown(as_markdown(value))

    def _word(self, table: str, name: str) -> Markdown:
        return Markdown(self.words[table][name])

    def _portal_link(self, resource_id: str, blade: str = "overview") -> Markdown:
        return Markdown(f"{self._portal}/#resource{url_path(resource_id)}/{blade}")

    def item_link(self, incident: Incident) -> Markdown:
        """The name of what failed, leading to its VM in the portal."""
        name = code_span(incident.item_name or incident.item_id, 80)
        return Markdown(f"[{name}]({self._portal_link(incident.vm_id)})") if ResourceId.parse(incident.vm_id) else name

    def thing_link(self, shared: SharedThing) -> Markdown:
        """The name of what all share, leading to it in the portal; of a lock, to what it locks."""
        name = code_span(shared.name if shared.value.startswith("/") else shared.value, 80)
        place = shared.value.partition("/providers/Microsoft.Authorization/locks/")[0] if shared.kind == "lock" else shared.value
        return Markdown(f"[{name}]({self._portal_link(place)})") if shared.value.startswith("/") else name

    def _cause(self, cause_id: str) -> Template:
        return cause_template(self.language, cause_id)


class _Facts:
    """The facts by name for templates: `facts.agent` is its value, None when it is unknown or was not needed."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        value = self._values.get(name)
        return None if isinstance(value, Unknown) else value


def _names(diagnosis: Diagnosis) -> dict[str, Any]:
    """The names that commands are filled with. One that is not known is a `<placeholder>` for the reader to fill in."""
    failure = diagnosis.failure
    vm, vault, item = failure.vm, failure.vault, failure.item
    group, name = (vm.group, vm.name) if vm else ("<vm-group>", failure.item_name or "<vm>")
    native = f"iaasvmcontainerv2;{group};{name}"
    parts = item.id.split("/") if item else []
    began = failure.job.started_at if failure.job else None
    return {
        "vm": _Named(vm, name, group, "<vm-id>"),
        "vault": _Named(vault, vault.name if vault else "<vault>", vault.group if vault else "<vault-group>", "<vault-id>"),
        "container": parts[-3] if len(parts) > 3 and parts[-3].count(";") == 3 else f"IaasVMContainer;{native}",
        "item": parts[-1] if parts and parts[-1].count(";") == 3 else f"VM;{native}",
        "item_name": failure.item_name or name,
        "window_start": began or failure.failed_at - timedelta(hours=2),
        "retain_until": (failure.failed_at + timedelta(days=30)).strftime("%d-%m-%Y"),
    }


class _Named:
    """A resource as a template names it."""

    def __init__(self, resource: ResourceId | None, name: str, group: str, unknown_id: str) -> None:
        self.name, self.group = name, group
        self.id = resource.id if resource else unknown_id
        self.subscription = resource.subscription if resource else "<subscription>"
        self.known = resource is not None


def _in_shells(commands: Sequence[Command], words: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """The blocks of one action. A guest runs one of the shells; of the operator's two the second says the same again."""
    for command in commands:
        again = command.run == "operator" and command.shell != commands[0].shell
        yield f"{mark('other_shell')}{_shown(command, words)}{mark('')}" if again else _shown(command, words)


def _shown(command: Command, words: Mapping[str, Mapping[str, str]]) -> str:
    parts = (words["roles"][command.role], words["effects"][command.effect], words["run"][command.run])
    label = " · ".join(part for part in (*parts, words["shells"][command.shell]) if part)
    start = len(label) - len(label.lstrip("*"))
    return f"{label[:start]}{label[start].upper()}{label[start + 1 :]}:\n\n{code_block(command.line, command.shell)}"


def _lines(text: str) -> str:
    """No trailing blanks, no empty line more than one in a row."""
    return joined((Part(text),)).strip()


def _doc(code: str, in_catalogue: bool) -> str:
    return catalogue.entries()[code if in_catalogue else "unknown"].doc
