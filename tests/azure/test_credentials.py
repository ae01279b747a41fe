"""Tokens: by the managed identity that the settings name, and by none where no token is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential
from werkzeug.wrappers import Request, Response

from handlers.azure.credentials import NoCredential, azure_credential, storage_credential
from sandbox.http import serving
from tests.conftest import ROOT

IN_AZURE = {"IDENTITY_ENDPOINT": "http://127.0.0.1/token", "AZURE_CLIENT_ID": "app"}
STORAGE = {"AzureWebJobsStorage__credential": "managedidentity", "AzureWebJobsStorage__clientId": "app"}


def test_in_azure_the_app_is_its_managed_identity() -> None:
    assert isinstance(azure_credential(IN_AZURE), ManagedIdentityCredential)
    assert isinstance(storage_credential(STORAGE), ManagedIdentityCredential)


def test_elsewhere_it_is_whoever_is_signed_in() -> None:
    assert isinstance(azure_credential({}), DefaultAzureCredential)
    assert isinstance(storage_credential({}), DefaultAzureCredential)


@pytest.mark.parametrize(
    ("maker", "settings"), [("azure_credential", {"AZURE_CLIENT_ID": "ours"}),
                            ("storage_credential", {**STORAGE, "AzureWebJobsStorage__clientId": "ours"})],
)  # fmt: skip
def test_the_identity_that_the_settings_name_is_asked_for_its_token(maker: str, settings: dict[str, str]) -> None:
    """As App Service answers: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference"""
    asked: list[str] = []

    def answer(request: Request) -> Response:
        asked.append(request.args.get("client_id", ""))
        return Response(
            '{"access_token": "a-token", "expires_on": "4102444800", "token_type": "Bearer"}', mimetype="application/json"
        )

    code = f"import os\nfrom handlers.azure.credentials import *\nprint({maker}(os.environ).get_token('https://x.example/.default').token)"
    with serving(answer) as url:
        environment = {"PATH": "", "IDENTITY_ENDPOINT": f"{url}/token", "IDENTITY_HEADER": "header", **settings}
        shown = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    assert (shown.stdout, asked) == ("a-token\n", ["ours"])


def test_no_token_is_made_for_loopback() -> None:
    with pytest.raises(RuntimeError, match="loopback"):
        NoCredential().get_token("x")


def test_the_module_imports_no_sdk() -> None:
    code = "import sys, handlers.azure.credentials, handlers.records.storage\nprint([m for m in sys.modules if m.startswith('azure.')])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
