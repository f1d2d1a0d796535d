"""Who imports: a client admin, by address and password, or the demo world's first one."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import Any

import typer

from cli.folder import DataFolder
from cli.network import Client, Person, Refused
from cli.system import SUPPORT_EMAIL
from cli.trouble import Trouble

SUPPORT_SECRET = "support.password"  # noqa: S105 - the name of a file
PASSWORD = "SUITE_PASSWORD"  # noqa: S105 - the name of a variable
_SIGNED_IN = """
... on SignedIn { accessToken userId organizationId stage }
... on ChooseOrganizationProblem { organizations { id name } }
"""


@dataclass
class Admin(Person):
    """A person who works for one organization or for several, and says for which (its id or its name)."""

    wanted: str = ""

    async def sign_in(self) -> None:
        """Sign in anew; Trouble says what is wrong."""
        try:
            session = await self._session(self.organization_id)
        except Refused as refusal:
            if refusal.code != "CHOOSE_ORGANIZATION":
                raise _not_let_in(refusal) from None
            session = await self._session(self._chosen(refusal.problem["organizations"]))
        if session["stage"] != "FULL":
            raise Trouble(f"{self.email} has not confirmed the account yet.", "See ./suite mail.")
        self._token = session["accessToken"]
        self.user_id, self.organization_id = session["userId"], session["organizationId"] or ""

    async def _session(self, organization_id: str) -> dict[str, Any]:
        given = {"email": self.email, "password": self.password}
        if organization_id:
            given["organizationId"] = organization_id
        return await self.client.do("signIn", given, _SIGNED_IN)

    def _chosen(self, organizations: list[dict[str, str]]) -> str:
        for one in organizations:
            if self.wanted.casefold() in {one["id"], one["name"].casefold()}:
                return one["id"]
        names = ", ".join(repr(one["name"]) for one in organizations)
        raise Trouble(
            f"{self.email} works for several organizations: {names}.",
            "Say which with --organization.",
        )


def _not_let_in(refusal: Refused) -> Trouble:
    return Trouble(
        f"You are not signed in: {refusal.problem['message']}",
        f"Give --email, and the password when asked or in {PASSWORD}.",
    )


def admin(client: Client, folder: DataFolder, email: str | None, organization: str) -> Admin:
    """The client admin of that address; without one, the first of the demo world (of that organization, when one is named)."""
    if email is not None:
        return Admin(client, email, email, _password(email), wanted=organization)
    for account in _accounts(folder):
        if account["role"] == "client admin" and organization in {"", account["organization"]}:
            return Admin(client, account["email"], account["email"], account["password"])
    raise Trouble(
        "Nobody is named who imports, and there is no such client admin in a demo world here.",
        f"Give --email, and the password when asked or in {PASSWORD}.",
    )


def supporter(client: Client, folder: DataFolder, email: str | None) -> Admin:
    """The support user of that address; without one, the one that is there from the start."""
    if email is not None:
        return Admin(client, email, email, _password(email))
    secret = folder.secrets / SUPPORT_SECRET
    if secret.exists():
        return Admin(client, "support", SUPPORT_EMAIL, secret.read_text(encoding="ascii"))
    raise Trouble(
        "Nobody is named who imports; this needs support.",
        f"Give --email, and the password when asked or in {PASSWORD}.",
    )


def _accounts(folder: DataFolder) -> list[dict[str, str]]:
    if not folder.accounts.exists():
        return []
    accounts: list[dict[str, str]] = json.loads(folder.accounts.read_text(encoding="utf-8"))
    return accounts


def _password(email: str) -> str:
    given = os.environ.get(PASSWORD)
    if given:
        return given
    if not sys.stdin.isatty():
        raise Trouble("There is no password.", f"Put it into the variable {PASSWORD}.")
    return str(typer.prompt(f"Password of {email}", hide_input=True, err=True))
