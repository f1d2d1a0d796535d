"""People of the network: who signs in with what, and the mail they get."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.mail import Letter, letters
from cli.network.client import Client, Refused
from cli.trouble import Trouble

MAIL_PATIENCE = 20.0
GLANCE = 0.05
_TOKEN = re.compile(r"[?#&]token=([\w.~-]+)")
_PASSWORD = re.compile(r"[Tt]emporary password:?\s+(\S+)")


@dataclass
class Person:
    """Somebody who works with the suite, and signs in when it is needed."""

    client: Client
    name: str
    email: str
    password: str = field(repr=False, default="")
    user_id: str = ""
    organization_id: str = ""
    _token: str = field(repr=False, default="")

    async def token(self) -> str:
        """An access token; signs in if there is none yet."""
        if not self._token:
            await self.sign_in()
        return self._token

    async def sign_in(self) -> None:
        """Sign in anew."""
        wanted = "... on SignedIn { accessToken userId organizationId }"
        given = {"email": self.email, "password": self.password}
        session = await self.client.do("signIn", given, wanted)
        self._token = session["accessToken"]
        self.user_id, self.organization_id = session["userId"], session["organizationId"] or ""

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL variables
        """Ask a question."""
        return await self.client.ask(query, variables, by=self)

    async def do(self, verb: str, given: dict[str, Any], wanted: str) -> dict[str, Any]:
        """Do a verb; a problem is raised as Refused. Where a fresh proof is asked for, it is given, and the verb done again."""
        try:
            return await self.client.do(verb, given, wanted, by=self)
        except Refused as refusal:
            if refusal.code != "STEP_UP_REQUIRED" or not self.password:
                raise
        proof = {"password": self.password}
        await self.client.do("proveIdentity", proof, "... on IdentityProved { until }", by=self)
        return await self.client.do(verb, given, wanted, by=self)

    async def confirm(self, letter: Letter, password: str) -> None:
        """Follow the link of the confirmation mail and set a password."""
        given = {"token": link_token(letter), "newPassword": password}
        await self.client.do("confirmAccount", given, "... on PasswordSet { userId }")
        self.password, self._token = password, ""


def link_token(letter: Letter) -> str:
    """The token in the link of a letter."""
    return _found(_TOKEN, letter)


def temporary_password(letter: Letter) -> str:
    """The temporary password in a letter."""
    return _found(_PASSWORD, letter)


def _found(pattern: re.Pattern[str], letter: Letter) -> str:
    if (match := pattern.search(letter.text)) is None:
        raise Trouble(f"The letter {letter.subject!r} holds no {pattern.pattern!r}.")
    return match[1]


@dataclass(frozen=True)
class Postbox:
    """The mail the system sent, in the folder of `./suite up`."""

    folder: Path

    async def letter(self, to: str, having: Callable[[Letter], bool] = lambda _: True) -> Letter:
        """The newest letter to an address, waited for."""
        deadline = asyncio.get_running_loop().time() + MAIL_PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            if found := [one for one in letters(self.folder, to) if having(one)]:
                return found[-1]
            await asyncio.sleep(GLANCE)
        raise Trouble(f"No mail for {to} came within {MAIL_PATIENCE:.0f} s.")
