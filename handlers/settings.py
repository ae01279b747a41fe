"""Every app setting, typed and checked once at start. Names and defaults are the contract's; `docs/settings.md` explains them."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


def languages(templates: Path) -> tuple[str, ...]:
    """The languages that runbooks are written in: the folders of `templates/` that hold words. English comes first."""
    names = (path.parent.name for path in templates.glob("*/words.toml"))
    return tuple(sorted(names, key=lambda name: (name != "en", name)))


LANGUAGES = languages(Path(__file__).parents[1] / "templates")
CHOICES = {
    "ALERTS_AUTH": ("entra", "key"), "RUNBOOK_LANGUAGE": LANGUAGES, "CANARY": ("off", "quiet", "ticket"),
    "SEVERITY_FROM": ("alert", "risk"), "OPERATOR_SHELL": ("bash", "both", "powershell"),
    "MCP_TOOLS": ("off", "on"), "PAGE_AUTH": ("entra", "link"),
}  # fmt: skip
"""Settings that are one of a few words."""
LARGEST_NUMBER = 100_000
LONGEST_TAG = 512
"""Characters of a tag's name."""
SHORTEST_LINK_KEY = 32


class SettingsError(ValueError):
    """A setting that the app cannot start with. The text names the setting and never its value if that may be secret."""


@dataclass(frozen=True)
class Settings:
    """The app settings. Empty text means: not set."""

    ticket_url: str
    arm_endpoint: str = "https://management.azure.com"
    logs_endpoint: str = "https://api.loganalytics.azure.com"
    log_analytics_workspace_id: str = ""
    watched_subscriptions: tuple[str, ...] = ()
    sweep_schedule: str = "0 */15 * * * *"
    alerts_auth: str = "key"
    alerts_key: tuple[str, ...] = field(default=(), repr=False)
    runbook_language: str = "en"
    public_url: str = ""
    ticket_target: str = "webhook"
    ticket_target_file: str = ""
    ticket_user: str = ""
    ticket_secret: str = field(default="", repr=False)
    ticket_options: Mapping[str, Any] = field(default_factory=dict)
    ticket_routes: tuple[Any, ...] = field(default=(), repr=False)
    """As it is given; handlers/tickets/routes.py reads it."""
    maintenance: tuple[Any, ...] = ()
    """As it is given; handlers/tickets/maintenance.py reads it."""
    maintenance_tag: str = ""
    ticket_http_hosts: tuple[str, ...] = ()
    storm_threshold: int = 20
    storm_window_minutes: int = 15
    canary: str = "quiet"
    canary_schedule: str = "0 0 6 * * *"
    severity_from: str = "alert"
    operator_shell: str = "both"
    owner_tags: tuple[str, ...] = ("owner", "team")
    show_actors: bool = True
    page_auth: str = "link"
    link_key: tuple[str, ...] = field(default=(), repr=False)
    mcp_tools: str = "off"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """The settings in `environment`; SettingsError names the first one that is missing or malformed."""
        values = {name: environment.get(name, "").strip() for name in SETTING_NAMES}
        if not _secret("TICKET_URL", values["TICKET_URL"]):
            raise SettingsError("TICKET_URL is required: the address that tickets are posted to.")
        http_hosts = _hosts("TICKET_HTTP_HOSTS", values["TICKET_HTTP_HOSTS"])
        check_address("TICKET_URL", values["TICKET_URL"], http_hosts)
        for name in ("ARM_ENDPOINT", "LOGS_ENDPOINT", "PUBLIC_URL"):
            check_address(name, values[name])
        return cls(
            ticket_url=values["TICKET_URL"],
            arm_endpoint=(values["ARM_ENDPOINT"] or cls.arm_endpoint).rstrip("/"),
            logs_endpoint=(values["LOGS_ENDPOINT"] or cls.logs_endpoint).rstrip("/"),
            log_analytics_workspace_id=_guid("LOG_ANALYTICS_WORKSPACE_ID", values["LOG_ANALYTICS_WORKSPACE_ID"]),
            watched_subscriptions=_guids("WATCHED_SUBSCRIPTIONS", values["WATCHED_SUBSCRIPTIONS"]),
            sweep_schedule=_schedule("SWEEP_SCHEDULE", values["SWEEP_SCHEDULE"] or cls.sweep_schedule),
            alerts_auth=_auth("ALERTS_AUTH", values["ALERTS_AUTH"] or cls.alerts_auth, environment),
            alerts_key=_keys("ALERTS_KEY", values["ALERTS_KEY"]),
            runbook_language=_one_of("RUNBOOK_LANGUAGE", values["RUNBOOK_LANGUAGE"] or cls.runbook_language),
            public_url=values["PUBLIC_URL"].rstrip("/"),
            ticket_target=values["TICKET_TARGET"] or cls.ticket_target,
            ticket_target_file=values["TICKET_TARGET_FILE"],
            ticket_user=values["TICKET_USER"],
            ticket_secret=_secret("TICKET_SECRET", values["TICKET_SECRET"]),
            ticket_options=_json_object("TICKET_OPTIONS", values["TICKET_OPTIONS"] or "{}"),
            ticket_routes=_json_list("TICKET_ROUTES", values["TICKET_ROUTES"] or "[]"),
            maintenance=_json_list("MAINTENANCE", values["MAINTENANCE"] or "[]"),
            maintenance_tag="".join(_tag_names("MAINTENANCE_TAG", values["MAINTENANCE_TAG"])),
            ticket_http_hosts=http_hosts,
            storm_threshold=_whole_number("STORM_THRESHOLD", values["STORM_THRESHOLD"] or "20"),
            storm_window_minutes=_whole_number("STORM_WINDOW_MINUTES", values["STORM_WINDOW_MINUTES"] or "15"),
            canary=_one_of("CANARY", values["CANARY"] or cls.canary),
            canary_schedule=_schedule("CANARY_SCHEDULE", values["CANARY_SCHEDULE"] or cls.canary_schedule),
            severity_from=_one_of("SEVERITY_FROM", values["SEVERITY_FROM"] or cls.severity_from),
            operator_shell=_one_of("OPERATOR_SHELL", values["OPERATOR_SHELL"] or cls.operator_shell),
            owner_tags=_tag_names("OWNER_TAGS", values["OWNER_TAGS"]) or cls.owner_tags,
            show_actors=_true_or_false("SHOW_ACTORS", values["SHOW_ACTORS"] or "true"),
            page_auth=_auth("PAGE_AUTH", values["PAGE_AUTH"] or cls.page_auth, environment),
            link_key=_long_keys("LINK_KEY", values["LINK_KEY"]),
            mcp_tools=_one_of("MCP_TOOLS", values["MCP_TOOLS"] or cls.mcp_tools),
        )

    def at_target(self, rule: Mapping[str, Any], place: str, environment: Mapping[str, str]) -> Settings:
        """The settings of a rule's target in place of TICKET_TARGET's. Raises SettingsError.

        A rule without an address of its own has TICKET_URL, and then the user and the secret that belong to it.
        """
        secret, address = rule.get("secret_setting", ""), rule.get("url_setting", "")
        url = _setting_of(environment, address, "TICKET_URL", f"{place}.url_setting") if address else rule.get("url", "")
        check_address(f"{place}.url", url, self.ticket_http_hosts)
        inherited = ("", "") if url else (self.ticket_user, self.ticket_secret)
        return replace(
            self, ticket_url=url or self.ticket_url, ticket_target=rule["target"], ticket_routes=(),
            ticket_target_file=rule.get("target_file", ""), ticket_options=rule.get("options", {}),
            ticket_user=rule.get("user", inherited[0]),
            ticket_secret=_setting_of(environment, secret, "TICKET_SECRET", f"{place}.secret_setting") if secret else inherited[1],
        )  # fmt: skip


SETTING_NAMES = tuple(
    name.upper()
    for name in Settings.__dataclass_fields__  # the environment's name is the field's, in capitals
)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this machine: there no token is asked for or sent, and plain http is allowed."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_address(name: str, url: str, http_hosts: tuple[str, ...] = ()) -> None:
    """Raises SettingsError for what is no address, and for plain http but to loopback and to `http_hosts`."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.scheme in ("http", "https") and (parts.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        raise SettingsError(f"{name} is not an http(s) address.")
    if parts.scheme == "http" and not is_loopback(url) and parts.hostname not in http_hosts:
        allowed = " and the hosts of TICKET_HTTP_HOSTS" if name.startswith("TICKET") else ""
        raise SettingsError(f"{name} must use https: plain http is accepted for loopback addresses{allowed or ' only'}.")


_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9])?|[0-9a-f:]*:[0-9a-f:.]+")


def _hosts(name: str, value: str) -> tuple[str, ...]:
    hosts = tuple(part.strip().lower().strip("[]") for part in value.split(",") if part.strip())
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise SettingsError(
                f"{name} holds {host[:40]!r}, which is not the name or address of a host: without http:// and port."
            )
    return hosts


NOT_GIVEN = "none"
"""What infra/ puts into a key vault in place of a secret that was not given."""


def _secret(name: str, value: str) -> str:
    """A Key Vault reference that App Service could not resolve arrives as its own text.

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references#troubleshooting-key-vault-references
    """
    if value.startswith("@Microsoft.KeyVault("):
        raise SettingsError(
            f"{name} is a Key Vault reference that was not resolved: does the secret exist, and may the app read it?"
        )
    return "" if value == NOT_GIVEN else value


def _keys(name: str, value: str) -> tuple[str, ...]:
    """One key, or two while one takes the other's place."""
    keys = tuple(key.strip() for key in _secret(name, value).split(",")) if value else ()
    if len(keys) > 2 or not all(keys):
        raise SettingsError(f"{name} must be one key, or two with a comma between them.")
    return keys


def _long_keys(name: str, value: str) -> tuple[str, ...]:
    """Keys that nobody can find by trying: a signed link tells whoever has it whether a guess is right."""
    keys = _keys(name, value)
    if any(len(key) < SHORTEST_LINK_KEY for key in keys):
        raise SettingsError(
            f"{name} must be {SHORTEST_LINK_KEY} characters or longer, such as the output of openssl rand -hex 32."
        )
    return keys


def _auth(name: str, value: str, environment: Mapping[str, str]) -> str:
    """`entra` rests on a header that only App Service authentication keeps others from writing: it must be on.

    WEBSITE_AUTH_ENABLED: https://learn.microsoft.com/azure/app-service/reference-app-settings#authentication--authorization.
    On Linux the Functions host goes by it too: https://github.com/Azure/azure-functions-host/issues/10687
    """
    if _one_of(name, value) == "entra" and environment.get("WEBSITE_AUTH_ENABLED", "").lower() != "true":
        raise SettingsError(f"{name} is entra, but App Service authentication is off: anybody could claim to be anybody.")
    return value


def _setting_of(environment: Mapping[str, str], name: str, kind: str, place: str) -> str:
    """A secret or an address in a setting of its own. Only of that kind: a rule must not send another secret of the app anywhere."""
    if not re.fullmatch(rf"{kind}(_[A-Z0-9_]+)?", name):
        raise SettingsError(f"{place}: must be the name of a setting such as {kind}_PAYMENTS, not what it holds.")
    if not (value := environment.get(name, "").strip()):
        raise SettingsError(f"{place}: the setting {name} is not set.")
    return _secret(name, value)


def _one_of(name: str, value: str) -> str:
    if value not in CHOICES[name]:
        raise SettingsError(f"{name} is {value[:40]!r}; it must be one of: {', '.join(CHOICES[name])}.")
    return value


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def _guid(name: str, value: str) -> str:
    if value and not GUID.fullmatch(value):
        raise SettingsError(f"{name} holds {value[:40]!r}, which is not a GUID.")
    return value.lower()


def _guids(name: str, value: str) -> tuple[str, ...]:
    return tuple(_guid(name, part.strip()) for part in value.split(",") if part.strip())


def _schedule(name: str, value: str) -> str:
    if len(value.split()) != 6:
        raise SettingsError(f"{name} must be an NCRONTAB expression of six fields, such as '0 */15 * * * *'.")
    return value


def _tag_names(name: str, value: str) -> tuple[str, ...]:
    """https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations"""
    names = tuple(part.strip() for part in value.split(",")) if value else ()
    if any(not tag or len(tag) > LONGEST_TAG or set(tag) & set("<>%&\\?/") for tag in names):
        raise SettingsError(f"{name} must be names of tags with commas between them, such as owner,team.")
    return names


def _true_or_false(name: str, value: str) -> bool:
    """Bicep writes `True`, people write `true`."""
    if value.lower() not in ("true", "false"):
        raise SettingsError(f"{name} is {value[:40]!r}; it must be true or false.")
    return value.lower() == "true"


def _whole_number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value) <= LARGEST_NUMBER:
        raise SettingsError(f"{name} must be a whole number from 1 to {LARGEST_NUMBER}.")
    return int(value)


def _json_list(name: str, value: str) -> tuple[Any, ...]:
    try:
        entries = json.loads(value)
    except ValueError:
        entries = None
    if not isinstance(entries, list):
        raise SettingsError(f"{name} must be a JSON list.")
    return tuple(entries)


def _json_object(name: str, value: str) -> Mapping[str, Any]:
    try:
        options = json.loads(value)
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise SettingsError(f'{name} must be a JSON object, such as {{"project": "OPS"}}.')
    return options
