"""TICKET_ROUTES: which tickets go to which ticketing systems. docs/routes.md explains the rules.

Rules are tried top-down. The first that matches decides, but one with `"also": true` adds its target and lets the next ones be tried.
What no rule matches goes to TICKET_TARGET, whose name here is `default`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from msgspec import Struct, field

from handlers.model.delivery import DEFAULT_TARGET
from handlers.model.document import Document
from handlers.settings import GUID, Settings, SettingsError

KINDS = ("incident", "storm", "unreadable", "canary")
SEVERITIES = ("sev0", "sev1", "sev2", "sev3", "sev4")
CANARY_WORKLOAD = "Canary"
TAG_PLACES = ("vm", "resource_group", "vault")
"""Where a tag is looked for: the first that has it says its value."""


class Subject(Struct, frozen=True):
    """What rules look at. A storm has the vaults and subscriptions of all its members, and no tags."""

    kind: str
    code: str = ""
    severity: str = ""
    vaults: tuple[str, ...] = ()
    """Resource ids."""
    subscriptions: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    """By name in lower case."""


class When(Struct, frozen=True):
    """The conditions of a rule, all of which must hold. One that is empty always does; patterns match in any case."""

    subscription: tuple[str, ...] = ()
    vault: tuple[str, ...] = ()
    """Patterns for the name or the resource id."""
    tag: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()

    def holds(self, subject: Subject) -> bool:
        conditions = (
            (self.kind, (subject.kind,)),
            (self.code, (subject.code,)),
            (self.severity, (subject.severity,)),
            (self.subscription, subject.subscriptions),
        )
        return (
            all(_all_match(values, patterns) for patterns, values in conditions if patterns)
            and all(name in subject.tags and _all_match((subject.tags[name],), patterns) for name, patterns in self.tag.items())
            and (not self.vault or (bool(subject.vaults) and all(_is_vault(vault, self.vault) for vault in subject.vaults)))
        )


class Rule(Struct, frozen=True):
    """Either `target`, the name of one, or `drop`, why nothing is posted."""

    when: When
    target: str = ""
    drop: str = ""
    also: bool = False


class Drop(Struct, frozen=True):
    """Nothing is posted, and why."""

    why: str


class Routes(Struct, frozen=True):
    rules: tuple[Rule, ...] = ()
    targets: Mapping[str, Settings] = field(default_factory=dict)
    """By name: the app's settings with those of the target in place of TICKET_TARGET's."""

    def targets_of(self, subject: Subject) -> tuple[str, ...] | Drop:
        """The names of the targets, each once, in the order of the rules. What was added before a rule drops the rest stays."""
        names: list[str] = []
        for rule in self.rules:
            if not rule.when.holds(subject):
                continue
            if rule.drop:
                return tuple(names) or Drop(rule.drop)
            names += [rule.target] if rule.target not in names else []
            if not rule.also:
                break
        return tuple(names) or (DEFAULT_TARGET,)


def _all_match(values: Sequence[str], patterns: Iterable[str]) -> bool:
    return bool(values) and all(any(fnmatchcase(value.lower(), pattern) for pattern in patterns) for value in values)


def _is_vault(vault: str, patterns: Iterable[str]) -> bool:
    return any(_all_match((text,), patterns) for text in (vault, vault.rpartition("/")[2]))


# ---------------------------------------------------------------- what a document is about


def subject_of(document: Document) -> Subject:
    """What rules look at in a version's document."""
    data = document.data
    storm = data.get("storm")
    members = (
        storm["members"] if storm else [{"vault_id": data["protected_item"]["vault_id"], "vm_id": (data["vm"] or {}).get("id")}]
    )
    vaults = {str(member["vault_id"]).lower() for member in members if member["vault_id"]}
    ids = vaults | {str(member["vm_id"]).lower() for member in members if member["vm_id"]}
    return Subject(
        kind=_kind(document),
        code=str((data["error"] or {}).get("code") or ""),
        severity=str(data["severity"]),
        vaults=tuple(sorted(vaults)),
        subscriptions=tuple(sorted({found[1] for found in map(_SUBSCRIPTION.match, ids) if found})),
        tags=_tags(data.get("tags") or {}),
    )


_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)/")


def _kind(document: Document) -> str:
    if document.kind == "alert":
        return "unreadable"
    return "canary" if document.data["protected_item"]["workload"] == CANARY_WORKLOAD else document.kind


def _tags(by_place: Mapping[str, Mapping[str, str] | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place in reversed(TAG_PLACES):
        found |= {name.lower(): value for name, value in (by_place.get(place) or {}).items()}
    return found


# ---------------------------------------------------------------- reading the setting


def read_routes(settings: Settings, environment: Mapping[str, str]) -> Routes:
    """The rules of TICKET_ROUTES and their targets. Raises SettingsError, which names the rule and its member."""
    rules: list[Rule] = []
    targets: dict[str, Settings] = {}
    for index, given in enumerate(settings.ticket_routes):
        place = f"TICKET_ROUTES[{index}]"
        rule = _rule(given, place)
        rules.append(rule)
        if rule.target in ("", DEFAULT_TARGET):
            continue
        target = settings.at_target(given, place, environment)
        if targets.setdefault(rule.target, target) != target:
            raise SettingsError(
                f"{place}.name: {rule.target!r} is another target in an earlier rule: give each a name of its own."
            )
    return Routes(tuple(rules), targets)


MEMBERS = {
    "when": dict, "target": str, "name": str, "url": str, "url_setting": str, "user": str, "secret_setting": str, "target_file": str, "options": dict,
    "also": bool, "drop": str,
}  # fmt: skip
KIND_OF = {dict: "an object", str: "a text", bool: "true or false", list: "a list", int: "a whole number"}
OF_A_TARGET = ("name", "url", "url_setting", "user", "secret_setting", "target_file", "options")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


def _rule(given: Any, place: str) -> Rule:
    check_members(given, MEMBERS, place)
    target, drop = given.get("target", ""), given.get("drop", "")
    if bool(target) == bool(drop):
        raise SettingsError(f"{place}: must have either target or drop, which says why nothing is posted.")
    needless = [name for name in OF_A_TARGET if name in given and (drop or target == DEFAULT_TARGET)]
    if needless or (drop and "also" in given):
        raise SettingsError(
            f"{place}.{(needless or ['also'])[0]}: has no meaning beside {'drop' if drop else 'the target default'}."
        )
    name = given.get("name", target)
    if name and not (NAME.fullmatch(name) and (name != DEFAULT_TARGET or target == DEFAULT_TARGET)):
        raise SettingsError(f"{place}.name: must be letters, digits, - and _, at most 40, and not default.")
    return Rule(read_when(given.get("when", {}), f"{place}.when"), name, drop, given.get("also", False))


def read_when(given: Mapping[str, Any], place: str) -> When:
    """The conditions of a rule. Raises SettingsError."""
    kinds = {"subscription": list, "vault": list, "tag": dict, "code": list, "severity": list, "kind": list}
    check_members(given, kinds, place)
    tags = given.get("tag", {})
    for name, condition in READ.items():
        for value in given.get(name, ()):
            if not isinstance(value, str) or not condition.holds(value.lower()):
                raise SettingsError(f"{place}.{name}: {str(value)[:60]!r} is not {condition.what}.")
    read = {name: _patterns(given[name], f"{place}.{name}") for name in kinds if name in given and name != "tag"}
    return When(tag={name.lower(): _patterns(values, f"{place}.tag.{name}") for name, values in tags.items()}, **read)


class _Condition(Struct, frozen=True):
    holds: Callable[[str], object]
    what: str


READ = {
    "subscription": _Condition(GUID.fullmatch, "the id of a subscription"),
    "severity": _Condition(SEVERITIES.__contains__, "one of Sev0 to Sev4"),
    "kind": _Condition(KINDS.__contains__, f"one of {', '.join(KINDS)}"),
}


def _patterns(given: Any, place: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not given or not all(isinstance(value, str) and value for value in given):
        raise SettingsError(f'{place}: must be a list of texts, such as ["a", "b*"].')
    return tuple(value.lower() for value in given)


def check_members(given: Any, kinds: Mapping[str, type], place: str) -> None:
    """Raises SettingsError for a member that is not known, or of another kind."""
    if not isinstance(given, Mapping):
        raise SettingsError(f"{place}: must be an object.")
    for name, value in given.items():
        if name not in kinds:
            raise SettingsError(f"{place}.{str(name)[:40]}: is not known; known: {', '.join(kinds)}.")
        if not isinstance(value, kinds[name]) or (kinds[name] is int and isinstance(value, bool)):
            raise SettingsError(f"{place}.{name}: must be {KIND_OF[kinds[name]]}.")
