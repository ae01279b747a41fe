"""How a ticketing system is reached: tokens that hold for a while, a proxy, an authority of one's own, never a `.netrc`."""

from __future__ import annotations

import base64
import ipaddress
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.types import Options

from handlers.settings import Settings, SettingsError
from handlers.tickets.answers import TicketNotPosted
from handlers.tickets.engine.definition import DefinitionError
from handlers.tickets.engine.target import Target
from tests.conftest import ROOT
from tests.tickets.changes import failed
from tests.tickets.system import NOW, Asked, Reply, System, bundled_definition, posted, running_system, session

OWN = """
name = "Own"
docs = "https://example.com"
needs_secret = false
[text]
markup = "plain"
most = 100
title = 100
[ticket]
id = "= 1"
""" + "".join(f'[[{step}]]\npath = "/x"\n' for step in ("open", "update", "resolve", "check"))


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


def target_with(system: System, name: str, clock: Clock | None = None, **values: Any) -> Target:
    settings = Settings(
        ticket_url=system.url, ticket_target=name, **{"ticket_user": "client", "ticket_secret": "s3cret", **values}
    )
    return Target(bundled_definition(name), settings, session(), clock or Clock())


# ---------------------------------------------------------------- OAuth 2 client credentials


@pytest.fixture
def snow() -> Iterator[System]:
    """A ServiceNow that takes tokens only, each until it says otherwise."""
    with running_system() as system:
        system.on("POST", "/oauth_token.do", Reply(200, {"access_token": "t-1", "expires_in": 1800, "token_type": "Bearer"}))
        system.on("POST", "/api/now/table/incident", Reply(201, {"result": {"sys_id": "7"}}))
        yield system


def oauth(system: System, **more: str) -> dict[str, Any]:
    return {"oauth": {"token_url": f"{system.url}/oauth_token.do", "scope": "useraccount", **more}}


def test_a_token_is_asked_for_once_and_used_until_a_minute_before_its_end(snow: System) -> None:
    clock = Clock()
    target = target_with(snow, "servicenow", clock, ticket_options=oauth(snow))
    posted(target, failed())
    clock.time += timedelta(seconds=1730)
    posted(target, failed())
    assert len(snow.named("POST", "/oauth_token.do")) == 1
    clock.time += timedelta(seconds=20)
    posted(target, failed())
    assert len(snow.named("POST", "/oauth_token.do")) == 2
    assert {asked.headers["authorization"] for asked in snow.named("POST", "/api/.*")} == {"Bearer t-1"}


@pytest.mark.parametrize("place", ["body", "basic"])
def test_the_client_says_who_it_is_as_the_option_says(snow: System, place: str) -> None:
    posted(target_with(snow, "servicenow", ticket_options=oauth(snow, client_auth=place)), failed())
    (asked,) = snow.named("POST", "/oauth_token.do")
    form = {name: value for name, (value,) in parse_qs(asked.body.decode()).items()}
    who = {"client_id": "client", "client_secret": "s3cret"}
    assert form == {"grant_type": "client_credentials", "scope": "useraccount", **(who if place == "body" else {})}
    expected = f"Basic {base64.b64encode(b'client:s3cret').decode()}" if place == "basic" else None
    assert asked.headers.get("authorization") == expected


def test_a_token_that_is_refused_is_not_used_again(snow: System) -> None:
    target = target_with(snow, "servicenow", ticket_options=oauth(snow))
    posted(target, failed())
    snow.on("POST", "/oauth_token.do", Reply(200, {"access_token": "t-2", "expires_in": "1800"}))
    snow.on(
        "POST",
        "/api/now/table/incident",
        lambda asked: Reply(201 if asked.headers["authorization"] == "Bearer t-2" else 401, {"result": {"sys_id": "7"}}),
    )
    with pytest.raises(TicketNotPosted, match="401"):
        posted(target, failed())
    assert posted(target, failed()).id == "7"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(401, {"error": "invalid_client", "hint": "s3cret"}), "oauth.token_url answered 401$"),
        (Reply(200, {"error": "no"}), "answered without a token"),
        (Reply(200, None), "oauth.token_url answered 200$"),
        (Reply(503, {}, {"Retry-After": "7"}), "oauth.token_url answered 503$"),
    ],
)
def test_where_no_token_is_given_nothing_was_posted_and_nothing_secret_is_told(snow: System, answer: Reply, said: str) -> None:
    snow.on("POST", "/oauth_token.do", answer)
    with pytest.raises(TicketNotPosted, match=said) as refusal:
        posted(target_with(snow, "servicenow", ticket_options=oauth(snow)), failed())
    assert (refusal.value.maybe_taken, refusal.value.permanent) == (False, False)
    assert refusal.value.retry_after == ("7" if answer.status == 503 else "")
    assert snow.named("POST", "/api/.*") == []


def test_the_address_that_gives_tokens_must_be_https() -> None:
    with running_system() as system, pytest.raises(SettingsError, match=r"oauth\.token_url must use https"):
        target_with(system, "servicenow", ticket_options={"oauth": {"token_url": "http://login.example.com/token"}})


# ---------------------------------------------------------------- GitHub Apps


@cache
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def pem(of: rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return of.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("on_one_line", [False, True])
def test_a_github_app_asks_for_a_token_of_its_installation(on_one_line: bool) -> None:
    def installation(asked: Asked) -> Reply:
        lax: Options = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(
            asked.headers["authorization"].removeprefix("Bearer "),
            key().public_key(),
            ["RS256"],
            options=lax,
        )
        assert claims == {"iss": "Iv1.client", "iat": int(NOW.timestamp()) - 60, "exp": int(NOW.timestamp()) + 540}
        return Reply(200, {"id": 12})

    with running_system() as system:
        system.on("GET", "/repos/o/r/installation", installation)
        expires = (NOW + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        system.on("POST", "/app/installations/12/access_tokens", Reply(201, {"token": "ghs_1", "expires_at": expires}))
        system.on("POST", "/repos/o/r/issues", Reply(201, {"number": 7, "html_url": "x"}))
        secret = pem(key()).replace("\n", "\\n") if on_one_line else pem(key())
        target = target_with(
            system, "github", ticket_user="Iv1.client", ticket_secret=secret, ticket_options={"repository": "o/r"}
        )
        posted(target, failed())
        posted(target, failed())
        assert len(system.named("POST", "/app/.*")) == 1
        assert [asked.headers["authorization"] for asked in system.named("POST", "/repos/.*")] == ["Bearer ghs_1"] * 2


def test_a_github_app_whose_secret_is_no_key_stops_the_app_at_start() -> None:
    with running_system() as system, pytest.raises(DefinitionError, match="TICKET_SECRET is no private key") as error:
        target_with(system, "github", ticket_options={"repository": "o/r"})
    assert "s3cret" not in str(error.value)


def test_without_a_user_github_takes_a_token() -> None:
    with running_system() as system:
        system.on("POST", "/repos/o/r/issues", Reply(201, {"number": 7, "html_url": "x"}))
        posted(target_with(system, "github", ticket_user="", ticket_options={"repository": "o/r"}), failed())
        assert system.asked[-1].headers["authorization"] == "Bearer s3cret"


# ---------------------------------------------------------------- a proxy, an authority of one's own, a .netrc


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def desk(seen: list[dict[str, str]]) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    return Desk


def proxy(seen: list[str]) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            seen.append(self.path)
            host, _, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=pass_on, args=(there, self.connection), daemon=True)
                back.start()
                pass_on(self.connection, there)
                back.join()

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


def pass_on(source: socket.socket, to: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that signs itself, for 127.0.0.1, and its key: `ca.pem` and `both.pem`."""
    folder = tmp_path_factory.mktemp("authority")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key().public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key().public_key()), critical=False)
        .sign(key(), hashes.SHA256())
    )  # fmt: skip
    text = made.public_bytes(serialization.Encoding.PEM).decode()
    (folder / "ca.pem").write_text(text)
    (folder / "both.pem").write_text(text + pem(key()))
    return folder


def check(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`python -m handlers tickets check` as somebody runs it, with these variables and no others."""
    return subprocess.run(
        [sys.executable, "-m", "handlers", "tickets", "check"], cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": os.environ.get("PATH", ""), "TICKET_URL": url, "TICKET_TARGET_FILE": OWN, **environment},
    )  # fmt: skip


def test_a_server_with_an_authority_of_its_own_behind_a_proxy(authority: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "both.pem")
    asked: list[dict[str, str]] = []
    through: list[str] = []
    with serving(desk(asked), context) as server, serving(proxy(through)) as between:
        url = f"https://127.0.0.1:{server.server_port}"
        untrusted = check(url)
        assert (untrusted.returncode, asked) == (1, [])
        assert "its certificate is not trusted" in untrusted.stderr
        assert "REQUESTS_CA_BUNDLE" in untrusted.stderr

        trusted = {"REQUESTS_CA_BUNDLE": str(authority / "ca.pem")}
        assert check(url, **trusted).returncode == 0
        assert (len(asked), through) == (1, [])

        assert check(url, **trusted, HTTPS_PROXY=f"http://127.0.0.1:{between.server_port}").returncode == 0
        assert (len(asked), through) == (2, [f"127.0.0.1:{server.server_port}"])

        direct = check(url, **trusted, HTTPS_PROXY=f"http://127.0.0.1:{between.server_port}", NO_PROXY="127.0.0.1")
        assert (direct.returncode, len(through)) == (0, 1)
    gone = check(url, **trusted, HTTPS_PROXY=f"http://127.0.0.1:{between.server_port}")
    assert "the proxy (HTTPS_PROXY) cannot be reached" in gone.stderr


def test_a_netrc_is_never_read(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password hunter2\n")
    (tmp_path / ".netrc").chmod(0o600)
    asked: list[dict[str, str]] = []
    with serving(desk(asked)) as server:
        done = check(f"http://127.0.0.1:{server.server_port}", HOME=str(tmp_path), NETRC=str(tmp_path / ".netrc"))
    assert (done.returncode, len(asked)) == (0, 1)
    assert "authorization" not in asked[0]


def test_plain_http_goes_to_the_hosts_that_are_named_and_to_no_other() -> None:
    given = {"TICKET_URL": "http://redmine.corp.example:3000/x"}
    with pytest.raises(SettingsError, match=r"TICKET_URL must use https: .* the hosts of TICKET_HTTP_HOSTS"):
        Settings.from_environment(given)
    for hosts in ("redmine.corp.example", "10.0.0.7, Redmine.Corp.Example"):
        assert Settings.from_environment(given | {"TICKET_HTTP_HOSTS": hosts}).ticket_url == given["TICKET_URL"]
    with pytest.raises(SettingsError, match="TICKET_URL must use https"):
        Settings.from_environment(given | {"TICKET_HTTP_HOSTS": "corp.example"})
    with pytest.raises(SettingsError, match="ARM_ENDPOINT must use https"):
        Settings.from_environment(
            given | {"TICKET_HTTP_HOSTS": "redmine.corp.example", "ARM_ENDPOINT": "http://redmine.corp.example"}
        )
    for wrong in ("http://redmine.corp.example", "redmine.corp.example:3000", "a b"):
        with pytest.raises(SettingsError, match="TICKET_HTTP_HOSTS holds"):
            Settings.from_environment(given | {"TICKET_HTTP_HOSTS": wrong})
