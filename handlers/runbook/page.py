"""One rendering of a diagnosis: what its templates see and may call, and the steps of its causes as data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import replace
from datetime import datetime
from typing import Any

from handlers.diagnosis import catalogue
from handlers.diagnosis.changes import changes_since_good
from handlers.model import (
    Command,
    Diagnosis,
    Evidence,
    Finding,
    History,
    Incident,
    Os,
    Reason,
    ResourceId,
    Step,
    Surroundings,
    Unknown,
    Verdict,
    time_text,
)
from handlers.model.comparison import SharedThing
from handlers.model.parts import mark
from handlers.model.text import one_line
from handlers.runbook.blocks import BOTH, CHECKS, END, GUEST, TOP, Blocks, Place, below, grouped, numbered
from handlers.runbook.changes import in_ticket, sentence_of
from handlers.runbook.facts_table import OF_CHECKS, Row, cell, rows_of, since_of
from handlers.runbook.guest_tree import branches_of
from handlers.runbook.markup import Markdown, as_markdown, code_span, command_block, url_path
from handlers.runbook.names import Facts, names_of
from handlers.runbook.steps import Steps
from handlers.runbook.templates import block, cause_template, cause_title, pieces, words_of

AZURE = "https://management.azure.com"
NOTHING_KNOWN = Surroundings()
PORTALS = {
    "management.usgovcloudapi.net": "https://portal.azure.us",
    "management.chinacloudapi.cn": "https://portal.azure.cn",
}
MOST_LINES_FIRST = 6
"""Of the first command: with it the first screen has 15 lines."""
MOST_OF_EVIDENCE = 200
"""Characters of a value on the first screen: a lock with its scope and its notes."""
DIAGNOSES = {"bash": "diagnose_linux", "powershell": "diagnose_windows"}
"""By a guest's shell the action that decides between causes inside the VM, as far as it has pieces."""
LOGS = ("guest_events", "vm_activity", "restore_point_activity", "lock_changes")
"""Facts of entries with times of their own; the time of the whole is how far back it was read."""
NEEDS = ("unmanaged_disk", "write_accelerator", "unsupported_agent", "workload")
"""What can need outbound access: `OutboundAccess.needed_by`."""


class Page:
    """`steps` are those of the causes that were shown, for the ticket event; `shell` is the setting OPERATOR_SHELL."""

    def __init__(
        self, diagnosis: Diagnosis, language: str, arm_endpoint: str = AZURE, history: History | None = None,
        about: Surroundings = NOTHING_KNOWN, shell: str = BOTH,
    ) -> None:  # fmt: skip
        self.language, self.os, self._diagnosis = language, diagnosis.os, diagnosis
        self.words = words_of(language)
        self.titles = {finding.cause: cause_title(language, finding.cause) for finding in diagnosis.findings}
        self._shell = shell
        self._blocks = Blocks(self.words, shell)
        self._portal = PORTALS.get(arm_endpoint.partition("://")[2].rstrip("/"), "https://portal.azure.com")
        self.context: dict[str, Any] = self._context(diagnosis) | {"history": history} | self._surroundings(diagnosis, about)
        self._steps = Steps(language, diagnosis.os, self.context)
        self.context |= self._functions()

    def _context(self, diagnosis: Diagnosis) -> dict[str, Any]:
        failure, error = diagnosis.failure, diagnosis.error
        facts = Facts({name: reading.value for name, reading in diagnosis.readings.items()})
        by_verdict = {v.value: [f for f in diagnosis.findings if f.verdict is v] for v in Verdict}
        return {
            **names_of(diagnosis),
            "failure": failure, "alert": failure.alert, "job": failure.job, "error": error, "facts": facts,
            "recovery": diagnosis.recovery, "is_vm": catalogue.is_of_vm(failure, error), "operation": catalogue.operation_of(error, failure),
            "error_title": Markdown(catalogue.title_of(error, self.language)),
            "meaning": Markdown(catalogue.meaning_of(error, self.language)),
            "recommended": [text for said in (failure.job.errors if failure.job else ()) for text in said.recommendations],
            "doc": Markdown(catalogue.article_of(failure, error)),
            "findings": diagnosis.findings, "by_verdict": by_verdict,
            "open_findings": [*by_verdict["possible"], *by_verdict["unknown"]],
            "listed_findings": [*by_verdict["possible"], *filter(_is_listed(by_verdict), by_verdict["unknown"])],
            "os": diagnosis.os.value if diagnosis.os else "", "windows": diagnosis.os is not Os.LINUX, "linux": diagnosis.os is not Os.WINDOWS,
            "distribution": facts.vm.distribution if facts.vm else "",
        }  # fmt: skip

    def _surroundings(self, diagnosis: Diagnosis, about: Surroundings) -> dict[str, Any]:
        """What changes.md.j2 and whose.md.j2 see."""
        changes = changes_since_good(diagnosis)
        return {
            "changes": changes,
            "changes_in_ticket": lambda: in_ticket(changes),
            "told": lambda change: Markdown(sentence_of(change, self.language, code_span)),
            "actor": lambda change: code_span(change.who, 120) if change.who and about.show_actors else Markdown(""),
            "owner": about.owner,
            "earlier": about.earlier,
            "past_ticket": lambda past: link_to(past.ticket_id, past.ticket_url),
        }

    def _functions(self) -> dict[str, Any]:
        """What a template may call."""
        return {
            "guest_branches": lambda: branches_of(self._in_guest()),
            "title_of": lambda finding: Markdown(self.titles[finding.cause]),
            "cause_title": lambda cause: Markdown(cause_title(self.language, cause)),
            "cause_why": lambda cause: self._said(cause, "why"),
            "why_of": self._why, "reason": self._reason, "evidence_names": self._evidence_names, "evidence_of": self._strongest,
            "fact_rows": self._fact_rows, "first": self._first, "steps_of": self._steps_of, "all_steps_of": self._all_steps_of,
            "check_of": self._check_of, "outside": self._outside, "in_guest": self._in_guest, "sees": self._sees, "script": self._script,
            "whole_diagnosis": self._whole_diagnosis, "decided_causes": self._decided_causes,
            "step": self._steps.step, "run": self._steps.run, "actions": self._actions_shown, "last": self._last_shown,
            "failed": self._failed, "word": self._word, "span": self._span, "portal": self._portal_link, "part": lambda kind="": Markdown(mark(kind)),
        }  # fmt: skip

    # ------------------------------------------------------------------ steps as data

    def prepare(self) -> None:
        """Record the steps of every cause that is not ruled out, and keep the last commands for the end of the page."""
        self._blocks.reserve(self._of_actions(self._last_actions()), END)
        for finding in self._diagnosis.findings:
            if finding.verdict is not Verdict.RULED_OUT:
                self._steps.of(finding)

    @property
    def steps(self) -> dict[str, tuple[Step, ...]]:
        """By cause, with the commands that a ticket has."""
        wants = self._blocks.wants
        return {
            cause: tuple(Step(step.text, tuple(filter(wants, step.commands))) for step in steps)
            for cause, steps in self._steps.recorded.items()
        }

    def commands_of(self, action: str, arguments: Mapping[str, Any]) -> list[Command]:
        """See `Steps.commands_of`."""
        return self._steps.commands_of(action, arguments)

    def _of_actions(self, names: Iterable[str]) -> list[Command]:
        return [command for name in names for command in self.commands_of(name, {})]

    # ------------------------------------------------------------------ commands on the page

    def _first(self) -> dict[str, Any]:
        """The one command to run first, on the page in the operator's other shell too (`other`)."""
        group = self._first_group()
        command = self._blocks.first(group)
        other = next((each for each in group if command.run == each.run == "operator" and each.shell != command.shell), None)
        self._blocks.reserve(filter(None, (command, other)), TOP)
        shown = {"sees": self._sees(command.action), **self._labelled(command)}
        return shown | {"other": self._labelled(other) if other else None}

    def _first_group(self) -> Sequence[Command]:
        """Of the first cause that has a command which fits the first screen, best from the operator's shell; in each shell."""
        confirmed = [finding for finding in self._diagnosis.findings if finding.verdict is Verdict.CONFIRMED]
        open_findings = [f for f in self._diagnosis.findings if f.verdict in (Verdict.POSSIBLE, Verdict.UNKNOWN)]
        own = [group for finding in confirmed for group in self._steps.checks(finding)]
        others = [group for finding in open_findings for group in [*self._steps.checks(finding)][:1]]
        others.sort(key=lambda group: group[0].run == "guest")
        short = (group for group in (*own, *others) if self._blocks.first(group).line.count("\n") < MOST_LINES_FIRST)
        return next((group for group in short if group[0].action in self.words["sees"]), next(grouped(self._of_last_job())))

    def _labelled(self, command: Command) -> dict[str, Any]:
        """A command as a block, and whose shell it is for."""
        label = self._blocks.label(replace(command, role="act"))
        return {"label": Markdown(label), "block": command_block(command.line, command.shell)}

    def _of_last_job(self) -> list[Command]:
        job = self._diagnosis.failure.job
        return self.commands_of("show_job", {"other": job}) if job else self.commands_of("list_backup_jobs", {})

    def _steps_of(self, finding: Finding) -> Markdown:
        """The steps of a cause as a numbered list."""
        return self._numbered(finding, self._blocks)

    def _all_steps_of(self, finding: Finding) -> Markdown:
        """The same for the page, where a reader goes to one cause: each command stands in it."""
        return self._numbered(finding, Blocks(self.words, BOTH))

    def _numbered(self, finding: Finding, blocks: Blocks) -> Markdown:
        steps, title = self._steps.of(finding), self.titles[finding.cause]
        texts = [step.text for step in steps]
        return Markdown(numbered(texts, lambda n: blocks.shown(steps[n - 1].commands, Place("cause", title, n))))

    def _check_of(self, finding: Finding) -> dict[str, Any]:
        """The one check that a ticket has for a cause that is not confirmed: what one should see, and where its command stands."""
        group = next(self._steps.checks(finding), None)
        if group is None:
            return {"sees": "", "in_guest": False, "at": ""}
        command = self._blocks.first(group)
        if all(_is_decided(finding, each) for each in group):
            return {"sees": "", "in_guest": True, "at": ""}
        at = self._blocks.place_of(command, CHECKS)
        return {"sees": self._sees(command.action), "in_guest": command.run == "guest", "at": Markdown(at)}

    def _outside(self) -> Markdown:
        """The checks from the operator's shell in one block."""
        return self._in_one("operator", CHECKS, {})

    def _in_guest(self) -> list[Finding]:
        """The causes that are not confirmed and whose check runs inside the VM."""
        return [finding for finding in self.context["listed_findings"] if self._check_of(finding)["in_guest"]]

    def _script(self, first: str, title: str) -> Markdown:
        """The checks inside the VM as one script per system: an action, the diagnosis, then checks that neither has."""
        commands = dict.fromkeys(self.commands_of(first, {}), title)
        for action in DIAGNOSES.values():
            if causes := [finding.cause for finding in self._in_guest() if finding.cause in pieces(action)]:
                commands |= dict.fromkeys(self.commands_of(action, {"causes": causes}), self.words["messages"]["diagnosis"])
        return self._in_one("guest", GUEST, commands)

    def _decided_causes(self) -> list[str]:
        """The causes that the script of this ticket decides, on each system that the VM may have."""
        return [finding.cause for finding in self._in_guest() if not self._check_of(finding)["sees"]]

    def _whole_diagnosis(self) -> Markdown:
        """The diagnosis of all causes that can be decided inside the VM; empty where no cause needs it."""
        actions = [
            action for action in DIAGNOSES.values() if any(finding.cause in pieces(action) for finding in self._in_guest())
        ]
        return Markdown(below(Blocks(self.words, BOTH).shown(self._of_actions(actions), GUEST)))

    def _in_one(self, run: str, place: Place, commands: dict[Command, str]) -> Markdown:
        for finding in self.context["listed_findings"]:
            for command in next(self._steps.checks(finding), ()):
                if command.run == run and not _is_decided(finding, command):
                    commands.setdefault(command, one_line(self.titles[finding.cause]))
        return Markdown(below(self._blocks.in_one(commands, place)))

    def _last_actions(self) -> tuple[str, ...]:
        """The backup to start once the cause is fixed; of what cannot be started from here, its jobs."""
        if self.context["operation"] == "restore":
            return ("list_restore_jobs",)
        is_backup_of_vm = self.context["is_vm"] and self.context["operation"] == "backup"
        return ("backup_now",) if is_backup_of_vm else ("list_backup_jobs",)

    def _last_shown(self) -> Markdown:
        return Markdown(below(self._blocks.shown(self._of_actions(self._last_actions()), END)))

    def _actions_shown(self, *names: str) -> Markdown:
        """Actions outside a step."""
        return Markdown("\n\n".join(self._blocks.shown(self._of_actions(names), Place("check", ""))))

    # ------------------------------------------------------------------ words

    def _sees(self, action: str) -> Markdown:
        return Markdown(self.words["sees"].get(action, ""))

    def _why(self, finding: Finding) -> Markdown:
        """Why the cause is unknown, as a sentence; else what the cause is, in the cause's own words."""
        return self._said(finding.cause, "why") if finding.why is None else self._reason(finding.why)

    def _said(self, cause: str, name: str) -> Markdown:
        return Markdown(" ".join(block(cause_template(self.language, cause), name, self.context).split()))

    def _reason(self, why: Unknown) -> Markdown:
        """Why something could not be read, as a sentence."""
        detail = f" ({as_markdown(why.detail)})" if why.detail else ""
        return Markdown(self.words["reasons"][why.why.value] + detail)

    def _label(self, fact: str) -> str:
        return self.words["facts"].get(fact, fact)

    def _evidence_names(self, finding: Finding) -> Markdown:
        """The facts behind a finding, by the names that the table of facts has."""
        return Markdown(", ".join(dict.fromkeys(self._label(evidence.fact) for evidence in finding.evidence)))

    def _strongest(self, finding: Finding) -> Markdown:
        """The first evidence of a finding in a few words, and since when it is so; empty without one."""
        read = [evidence for evidence in finding.evidence if evidence.value not in (None, [])]
        return self._in_short(read[0]) if read else Markdown("")

    def _in_short(self, evidence: Evidence) -> Markdown:
        value = evidence.value[0] if isinstance(evidence.value, list) else evidence.value
        shown = self._value_of(evidence.fact, value, MOST_OF_EVIDENCE)
        reading = self._diagnosis.readings.get(evidence.fact)
        is_log = evidence.fact in LOGS
        since = time_text(since_of(reading.value)) if reading and evidence.source and not is_log else ""
        said = f", {self.words['again']['since'].format(time=since)}" if since and since not in shown else ""
        return Markdown(f"{self._label(evidence.fact)}: {shown}{said}")

    def _fact_rows(self) -> list[Mapping[str, Any]]:
        """The table of facts, each cell as Markdown."""
        return [self._cells(row) for row in rows_of(self._diagnosis)]

    def _cells(self, row: Row) -> Mapping[str, Any]:
        value = self._reason(row.unread) if row.unread else self._value_of(row.fact, [] if row.value is None else row.value)
        if row.fact == "message" and row.value:
            value = self._word("values", "above")
        return {
            "label": Markdown(self._label(row.fact)),
            "value": Markdown(cell(value)),
            "since": self._word("values", "does_not_apply") if row.origin == OF_CHECKS else self._time(row.since),
            "read_at": self._time(row.read_at),
            "source": self._word("sources", row.origin) if row.origin else Markdown(cell(code_span(row.source))),
        }

    def _time(self, time: datetime | None) -> Markdown:
        return Markdown(time_text(time)) if time else self._word("values", "unknown")

    def _value_of(self, fact: str, value: Any, limit: int = 500) -> Markdown:
        """The value of a fact in the reader's words; an empty one as the fact's own word for none."""
        if value in ("", []):
            return Markdown(self.words["none"].get(fact, self.words["none"]["default"]))
        if isinstance(value, list):
            more = [Markdown(f"+ {len(value) - 10}")] if len(value) > 10 else []
            return Markdown("; ".join([*(self._value_of(fact, item, limit) for item in value[:10]), *more]))
        if fact == "members":
            return self._member(value)
        own = {"outbound_access": self._access, "key_vaults": self._key_vault}.get(fact)
        return own(value) if own else self._value(value, limit)

    def _value(self, value: Any, limit: int) -> Markdown:
        known = self.words["values"].get({True: "yes", False: "no", None: "unread"}.get(value, str(value)))
        return Markdown(known or (code_span(value, limit) if isinstance(value, str) else as_markdown(value)))

    def _member(self, value: str) -> Markdown:
        """A cause that another one groups, and its verdict: `wireserver_blocked: unknown`."""
        cause, _, verdict = value.partition(": ")
        return Markdown(f"{cause_title(self.language, cause)} ({self.words['verdicts'][verdict].lower()})")

    def _access(self, value: str) -> Markdown:
        """What `OutboundAccess` says of itself: what decides, then what needs it."""
        words = self.words["access"]
        said = [part.split(", ") for part in value.split("; ")]
        decides = [self._value_in(words, ", ".join(part)) for part in said if part[0] not in NEEDS]
        needs = [words[need] for part in said if part[0] in NEEDS for need in part]
        return Markdown("; ".join([*decides, *([words["needed_by"].format(what=", ".join(needs))] if needs else [])]))

    def _key_vault(self, value: str) -> Markdown:
        """What `KeyVault` says of itself: its name, its permission model, how many may back up."""
        words, parts = self.words["key_vaults"], re.fullmatch(r"(.+) \((RBAC|access policies)\): (\d+)", value)
        if not parts:
            return code_span(value, 160)
        return Markdown(words["said"].format(name=code_span(parts[1]), model=words[parts[2]], count=parts[3]))

    def _value_in(self, words: Mapping[str, str], value: str) -> Markdown:
        return Markdown(words[value]) if value in words else code_span(value, 160)

    def _span(self, hours: float) -> Markdown:
        """A time span: hours, and days from three of them on."""
        unit, number = ("days", hours / 24) if hours >= 72 else ("hours", hours)
        return Markdown(self.words["spans"][unit].format(n=f"{number:.0f}"))

    def _failed(self, name: str) -> Markdown:
        """What failed, and of what: `Restore of vm-01 failed`. Only a place that takes no Markdown gives the name as it is."""
        return Markdown(self.words["failed"][self.context["operation"]].format(item=as_markdown(name)))

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


def _is_decided(finding: Finding, command: Command) -> bool:
    """Whether the script for inside the VM decides the cause, so that its own check need not be there."""
    return command.run == "guest" and finding.cause in pieces(DIAGNOSES[command.shell])


def _is_listed(by_verdict: Mapping[str, Sequence[Finding]]) -> Callable[[Finding], bool]:
    """Where a cause is confirmed, those that the error does not point to are not in the ticket; the page has them all."""
    proven = bool(by_verdict[Verdict.CONFIRMED.value])
    return lambda finding: not (proven and finding.why == Unknown(Reason.NOT_POINTED))


def link_to(ticket_id: str, url: str) -> Markdown:
    """A ticket's id, leading to it; empty without an id."""
    if not ticket_id:
        return Markdown("")
    name = code_span(ticket_id, 60)
    return Markdown(f"[{name}]({url_path(url)})") if url.startswith("https://") else name
