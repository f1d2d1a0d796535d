"""An organization of one test, whose client admin imports."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.journey.stage import new_password
from cli.network import Client, Person, Postbox
from cli.system import System

ROOT = Path(__file__).parents[2]
PROVIDERS = """
query($filter: ProvidersFilter, $network: Boolean! = false, $after: String) {
  providers(filter: $filter, network: $network, first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { node { id npi name state version missing specialties { code } } } } }
"""


@dataclass(frozen=True)
class Clinic:
    """An organization that has just been opened, and its client admin."""

    system: System
    client: Client
    support: Person
    admin: Person
    name: str

    async def started(
        self, *words: str, by: Person | None = None, kind: str = "nppes"
    ) -> asyncio.subprocess.Process:
        """`./suite import`, which has begun."""
        who = self.admin if by is None else by
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", "import", kind, *words,
            "--data", str(self.system.folder.path), *(["--email", who.email] if who.email else []),
            cwd=ROOT, env=os.environ | {"SUITE_PASSWORD": who.password},
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip

    async def run(
        self, *words: str, by: Person | None = None, kind: str = "nppes"
    ) -> tuple[int, str, str]:
        """`./suite import`: exit code, what it said and what it complained of."""
        process = await self.started(*words, by=by, kind=kind)
        said, complained = await process.communicate()
        return process.returncode or 0, said.decode(), complained.decode()

    async def told(
        self, file: Path, *words: str, by: Person | None = None, kind: str = "nppes"
    ) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """An import that must succeed: its remarks and its counts."""
        code, said, complained = await self.run(str(file), "--json", *words, by=by, kind=kind)
        assert code == 0, complained
        *remarks, last = [json.loads(line) for line in said.splitlines()]
        return remarks, last["done"]

    async def providers(self, **filter_: object) -> list[dict[str, Any]]:
        """The organization's providers."""
        found, after = [], None
        while True:
            page = (await self.admin.ask(PROVIDERS, filter=filter_, after=after))["providers"]
            found += [edge["node"] for edge in page["edges"]]
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                return found

    async def joined(self, name: str, role: str, office: str | None = None) -> Person:
        """Somebody invited by the client admin, who has confirmed."""
        person = Person(self.client, name, address(name))
        given = {
            "email": person.email,
            "name": name,
            "roles": [{"role": role, "officeId": office}],
            "idempotencyKey": person.email,
        }
        await self.admin.do("inviteUser", given, "... on UserInvited { user { id } }")
        await person.confirm(
            await Postbox(self.system.folder.mail).letter(person.email), new_password()
        )
        return person


def address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}.{secrets.token_hex(4)}@import.example"


@asynccontextmanager
async def new_clinic(system: System) -> AsyncIterator[Clinic]:
    """Open an organization and confirm its client admin."""
    client = Client(system.url)
    email, password = system.support
    support = Person(client, "Support", email, password)
    admin = Person(client, "Ida Importer", address("Ida Importer"))
    name = f"Import Clinic {secrets.token_hex(4)}"
    await open_for(support, name, admin)
    await admin.confirm(await Postbox(system.folder.mail).letter(admin.email), new_password())
    yield Clinic(system, client, support, admin, name)
    client.close()


async def open_for(support: Person, name: str, admin: Person) -> str:
    given = {
        "name": name,
        "timeZone": "America/Chicago",
        "clientAdmin": {"email": admin.email, "name": admin.name},
        "idempotencyKey": name,
    }
    wanted = "... on OrganizationAdded { organization { id } }"
    made = await support.do("addOrganization", given, wanted)
    organization_id: str = made["organization"]["id"]
    return organization_id
