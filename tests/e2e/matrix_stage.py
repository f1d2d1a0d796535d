"""The stage of the matrix: the running system, its people, and the ids of the cast's things."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from cli.journey.stage import Stage
from cli.network import Person, Refused
from cli.system import System
from tests.model.cast import ACTORS, MAPLE, NORTH
from tests.model.words import Actor, Session

CARDIOLOGY = "207RC0000X"
ADMIN = {MAPLE: "client admin", NORTH: "their client admin"}
GUEST = "guest@both.example"
PREVIEWS = {
    "removeProvider": "providerRemovalPreview",
    "removeWhenEmpty": "providerRemovalPreview",
    "removeGroup": "groupRemovalPreview",
    "closeOffice": "officeClosurePreview",
}
LOOKS = 20
"""As often a preview is looked at again."""


@dataclass
class World:
    """The system, and the ids of the cast's things: `ids["office here"]`."""

    system: System
    stage: Stage
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    refresh: str = ""
    """Of those who cannot simply sign in."""

    def by(self, organization: str) -> Person:
        """The client admin who makes an organization's things."""
        return self.stage.people[ADMIN[organization]]

    async def token(self, actor: Actor) -> str:
        """The access token that somebody shows; empty: none."""
        if actor.session is Session.NONE:
            return ""
        if actor.name in self.tokens:
            return self.tokens[actor.name]
        return await self.stage.people[actor.name].token()

    def __post_init__(self) -> None:
        self.guest = Person(self.stage.client, "guest", GUEST)
        self.newcomer = Person(self.stage.client, "newcomer", "temporary.password@maple.example")

    @property
    def last_week(self) -> str:
        """A day of the week before this one."""
        return (self.stage.today() - timedelta(days=7)).isoformat()

    async def sign_in_anew(self) -> None:
        """Fresh tokens for everybody, before theirs end."""
        people = self.stage.people
        names = [one.name for one in ACTORS if one.session is Session.FULL and one.name in people]
        await asyncio.gather(*(people[name].sign_in() for name in names))
        given = {
            "email": GUEST,
            "password": self.guest.password,
            "organizationId": self.ids[f"organization {MAPLE}"],
        }
        session = await self.stage.client.do("signIn", given, "... on SignedIn { accessToken }")
        self.tokens["guest"] = session["accessToken"]
        await self._inside()
        if self.newcomer.password:
            await self.newcomer.sign_in()
            self.tokens["temporary password"] = await self.newcomer.token()

    async def _inside(self) -> None:
        """A session of support's own that has broken the glass of maple: refreshed, since each new one would have to do it anew."""
        client, wanted = self.stage.client, "... on SignedIn { accessToken refreshToken }"
        if self.refresh:
            session = await client.do("refreshSession", {"refreshToken": self.refresh}, wanted)
            email, password = self.system.support
            person = Person(client, "support inside", email, _token=session["accessToken"])
            await person.do(
                "proveIdentity", {"password": password}, "... on IdentityProved { until }"
            )
        else:
            email, password = self.system.support
            session = await client.do("signIn", {"email": email, "password": password}, wanted)
            person = Person(client, "support inside", email, _token=session["accessToken"])
            given = {"organizationId": self.ids[f"organization {MAPLE}"], "reason": "Asked by mail"}
            await self.make(person, "breakGlass", "SupportAccess", "glass", given)
        self.refresh, self.tokens["support inside"] = (
            session["refreshToken"],
            session["accessToken"],
        )

    async def make(
        self, by: Person, verb: str, kind: str, name: str, given: dict[str, Any]
    ) -> dict[str, Any]:
        """Do a verb and remember the id of what it made."""
        given = {"idempotencyKey": self.stage.key(), **given}
        wanted = f"... on {kind} {{ id }}"
        made = await by.do(verb, given, wanted)
        self.ids[name] = made["id"]
        return made

    async def change(self, by: Person, verb: str, thing: str, given: dict[str, Any]) -> None:
        """Do a verb to a thing as it stands. What other services make of the change before it may still move under a preview."""
        for _ in range(LOOKS):
            try:
                await self._change(by, verb, thing, given)
            except Refused as refusal:
                if refusal.code != "STALE_PREVIEW":
                    raise
            else:
                return
        raise AssertionError(f"{verb}: the preview of {thing} never stands still")

    async def _change(self, by: Person, verb: str, thing: str, given: dict[str, Any]) -> None:
        kind = thing.split(maxsplit=1)[0]
        query = f"query($id: ID!) {{ {kind}(id: $id) {{ version }} }}"
        seen = (await by.ask(query, id=self.ids[thing]))[kind]
        order = {f"{kind}Id": self.ids[thing], "expectedVersion": seen["version"]}
        if verb in PREVIEWS:
            query = f"query($id: ID!) {{ {PREVIEWS[verb]}({kind}Id: $id) {{ token }} }}"
            order |= (await by.ask(query, id=self.ids[thing]))[PREVIEWS[verb]]
        await by.do(verb, order | given, "__typename")


async def invited(
    world: World, organization: str, email: str, roles: tuple[tuple[str, str], ...]
) -> str:
    asked: list[dict[str, str]] = [
        {"role": role, "officeId": world.ids[f"office {office}"]} if office else {"role": role}
        for role, office in roles
    ]
    for one in asked:
        if one["role"] == "PROVIDER":
            one["providerId"] = world.ids["provider doctor here"]
    given = {"email": email, "name": email, "roles": asked, "idempotencyKey": world.stage.key()}
    wanted = "... on UserInvited { user { id } }"
    done = await world.by(organization).do("inviteUser", given, wanted)
    id_: str = done["user"]["id"]
    return id_
