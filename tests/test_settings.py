"""Every setting is checked at start, and the message names it."""

import pytest

from handlers.settings import NOT_GIVEN, SETTING_NAMES, Settings, SettingsError, is_loopback

GOOD = {"TICKET_URL": "https://tickets.example.com/hook"}


def test_only_the_ticket_url_is_required() -> None:
    settings = Settings.from_environment(GOOD)
    assert settings.ticket_target == "webhook"
    assert settings.runbook_language == "en"
    assert settings.arm_endpoint == "https://management.azure.com"
    assert (settings.storm_threshold, settings.storm_window_minutes) == (20, 15)


def test_a_missing_ticket_url_is_named() -> None:
    with pytest.raises(SettingsError, match="TICKET_URL is required"):
        Settings.from_environment({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TICKET_URL", "http://tickets.example.com"),
        ("ARM_ENDPOINT", "http://10.0.0.1"),
        ("ARM_ENDPOINT", "management.azure.com"),
        ("ARM_ENDPOINT", "https://[broken"),
        ("LOGS_ENDPOINT", "ftp://logs"),
        ("PUBLIC_URL", "http://app.example.com"),
        ("LOG_ANALYTICS_WORKSPACE_ID", "my-workspace"),
        ("WATCHED_SUBSCRIPTIONS", "11111111-2222-3333-4444-555555555555,oops"),
        ("SWEEP_SCHEDULE", "*/15 * * * *"),
        ("ALERTS_AUTH", "none"),
        ("ALERTS_AUTH", "entra"),
        ("ALERTS_KEY", "one,two,three"),
        ("ALERTS_KEY", "one,"),
        ("ALERTS_KEY", "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/alerts-key)"),
        ("RUNBOOK_LANGUAGE", "klingon"),
        ("TICKET_SECRET", "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/ticket)"),
        ("TICKET_URL", "@Microsoft.KeyVault(SecretUri=https://kv.vault.azure.net/secrets/ticket-url)"),
        ("TICKET_OPTIONS", "[1]"),
        ("TICKET_OPTIONS", "{"),
        ("STORM_THRESHOLD", "0"),
        ("STORM_THRESHOLD", "²"),
        ("STORM_WINDOW_MINUTES", "many"),
        ("OWNER_TAGS", "owner,,team"),
        ("OWNER_TAGS", "owner/team"),
        ("SHOW_ACTORS", "yes"),
    ],
)
def test_a_malformed_setting_stops_the_app_and_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(GOOD | {name: value})


def test_plain_http_is_accepted_for_loopback_only() -> None:
    assert Settings.from_environment({"TICKET_URL": "http://127.0.0.1:8080/tickets"}).ticket_url
    assert is_loopback("http://[::1]:80/")
    assert is_loopback("http://localhost")
    assert not is_loopback("http://127.0.0.1.example.com/")


def test_a_message_never_shows_a_url_that_may_hold_a_secret() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"TICKET_URL": "http://user:hunter2@tickets.example.com"})
    assert "hunter2" not in str(caught.value)


def test_the_secret_is_not_in_the_printed_settings() -> None:
    assert "hunter2" not in repr(Settings.from_environment(GOOD | {"TICKET_SECRET": "hunter2"}))


def test_the_word_that_a_key_vault_holds_in_place_of_a_secret_means_none() -> None:
    assert Settings.from_environment(GOOD | {"TICKET_SECRET": NOT_GIVEN}).ticket_secret == ""


def test_alerts_keys_are_one_or_two_and_never_printed() -> None:
    settings = Settings.from_environment(GOOD | {"ALERTS_KEY": "hunter2, hunter3"})
    assert settings.alerts_key == ("hunter2", "hunter3")
    assert "hunter" not in repr(settings)
    assert Settings.from_environment(GOOD).alerts_key == ()
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(GOOD | {"ALERTS_KEY": "hunter2,hunter3,hunter4"})
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize(("said", "starts"), [("True", True), ("true", True), ("False", False), ("", False)])
def test_entra_is_believed_only_where_the_platform_says_that_its_authentication_is_on(said: str, starts: bool) -> None:
    environment = GOOD | {"ALERTS_AUTH": "entra", "WEBSITE_AUTH_ENABLED": said}
    if starts:
        assert Settings.from_environment(environment).alerts_auth == "entra"
    else:
        with pytest.raises(SettingsError, match="ALERTS_AUTH is entra, but App Service authentication is off"):
            Settings.from_environment(environment)


def test_subscriptions_are_a_comma_separated_list_in_any_case() -> None:
    settings = Settings.from_environment(
        GOOD | {"WATCHED_SUBSCRIPTIONS": "AAAAAAAA-2222-3333-4444-555555555555, bbbbbbbb-2222-3333-4444-555555555555"}
    )
    assert settings.watched_subscriptions == (
        "aaaaaaaa-2222-3333-4444-555555555555",
        "bbbbbbbb-2222-3333-4444-555555555555",
    )


def test_every_name_of_the_contract_is_a_setting() -> None:
    assert {
        "ARM_ENDPOINT", "LOGS_ENDPOINT", "LOG_ANALYTICS_WORKSPACE_ID", "WATCHED_SUBSCRIPTIONS", "SWEEP_SCHEDULE",
        "ALERTS_AUTH", "ALERTS_KEY", "RUNBOOK_LANGUAGE", "PUBLIC_URL", "TICKET_TARGET", "TICKET_TARGET_FILE", "TICKET_URL", "TICKET_USER",
        "TICKET_SECRET", "TICKET_OPTIONS", "STORM_THRESHOLD", "STORM_WINDOW_MINUTES", "CANARY", "CANARY_SCHEDULE",
        "SEVERITY_FROM", "OPERATOR_SHELL",
    } <= set(SETTING_NAMES)  # fmt: skip


@pytest.mark.parametrize("name", ["SEVERITY_FROM", "OPERATOR_SHELL"])
def test_a_word_that_is_no_choice_stops_the_app_with_the_settings_name(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_environment(GOOD | {name: "zsh"})


def test_people_are_named_and_owners_looked_for_unless_a_setting_says_otherwise() -> None:
    settings = Settings.from_environment(GOOD)
    assert (settings.owner_tags, settings.show_actors) == (("owner", "team"), True)
    other = Settings.from_environment(GOOD | {"OWNER_TAGS": "Service Owner, squad", "SHOW_ACTORS": "False"})
    assert (other.owner_tags, other.show_actors) == (("Service Owner", "squad"), False)
