"""Two organizations that refer patients to each other, with what each keeps to itself, for tests that try to see too much."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from cli.demo import stage_of
from cli.journey import ACTS, Stage, care
from cli.journey.opening import LAKESIDE, RIVERBEND, address
from cli.journey.places import CARDIOLOGY
from cli.network import Person
from cli.network.people import temporary_password
from cli.system import System
from gateway.subgraphs.pool import Bounds, Pool
from gateway.subgraphs.wire import Target

UNTIL_PLANS = 7
"""So many acts until both offices are live and plans are recorded."""

SECRET_NAMES = ("Undisclosed", "Whispering Pines", "Hushed Cardiology", "Silent warehouse")
"""A provider in the making, a planned office, a group without staff and a partner: nobody else's business."""

SIGNED_IN_FOR = 120.0
"""Seconds after which people sign in anew: access tokens live for five minutes."""

MORE = (
    ("A call centre", "Carla Benoit", LAKESIDE, ({"role": "CALL_CENTRE"},)),
    ("A idle", "Nora Pike", LAKESIDE, ()),
    ("B idle", "Piet Visser", RIVERBEND, ()),
)


class Listener:
    """Wants to hear nothing."""

    def act(self, title: str) -> None:
        """Nothing."""

    def say(self, what: str) -> None:
        """Nothing."""


@dataclass
class Town:
    """The network, its people by role ("A staff"), and ids of things by name ("A office")."""

    system: System
    stage: Stage

    def __post_init__(self) -> None:
        self.people, self.ids = self.stage.people, self.stage.ids
        self.people["support"] = self.stage.support
        self._signed_in: dict[str, float] = {}
        self._signing_in = asyncio.Lock()
        self._pool = Pool(Target.parse(f"{self.system.url}/graphql"), Bounds(total=30.0))

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.system.folder.path

    async def raw(
        self,
        query: str,
        variables: dict[str, Any] | None = None,
        *,
        by: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """The bytes that somebody (nobody, when `by` is empty) is answered with."""
        given = {"accept": "application/json", **(headers or {})}
        if by:
            given["authorization"] = f"Bearer {await self._token(by)}"
        body = orjson.dumps({"query": query, "variables": variables or {}})
        exchange = await self._pool.post(body, given, repeatable=False)
        return exchange.take()

    async def told(self, query: str, by: str = "", **variables: Any) -> dict[str, Any]:  # noqa: ANN401 - GraphQL variables
        """The whole answer: data and errors."""
        answer: dict[str, Any] = orjson.loads(await self.raw(query, variables, by=by))
        return answer

    async def outcome(self, verb: str, given: dict[str, Any], by: str) -> str:
        """What became of a verb: the code of its refusal, or the type of its success."""
        kind = self.stage.client._input_type(verb)  # noqa: SLF001 - the schema's word
        query = f"""mutation($input: {kind}) {{ {verb}(input: $input) {{
            __typename ... on Problem {{ code }} }} }}"""
        answer = await self.told(query, by, input=given)
        if answer.get("errors"):
            extensions = answer["errors"][0]["extensions"]
            return str(extensions.get("reason", extensions["code"]))
        done = answer["data"][verb]
        return str(done.get("code", done["__typename"]))

    async def version(self, thing: str, id_: str, by: str) -> int:
        """The version of a thing as somebody sees it."""
        answer = await self.told(
            f"query($id: ID!) {{ {thing}(id: $id) {{ version }} }}", by, id=id_
        )
        found: int = answer["data"][thing]["version"]
        return found

    async def client_admin_of_both(self) -> Person:
        """Somebody new, who is client admin of both organizations."""
        email, stage = f"both-{self.key()}@mail.example", self.stage
        given = {"email": email, "name": "Both Sides", "roles": [{"role": "CLIENT_ADMIN"}]}
        wanted = "... on UserInvited { user { id } }"
        await self.people["A admin"].do(
            "inviteUser", given | {"idempotencyKey": self.key()}, wanted
        )
        person = await stage.confirmed("both", "Both Sides", email)
        del self.people["both"]
        await self.people["B admin"].do(
            "inviteUser", given | {"idempotencyKey": self.key()}, wanted
        )
        return person

    async def _token(self, by: str) -> str:
        """A token that is not about to end: nobody notices the sign-ins between."""
        async with self._signing_in:
            now = asyncio.get_running_loop().time()
            if now - self._signed_in.get(by, -SIGNED_IN_FOR) >= SIGNED_IN_FOR:
                await self.people[by].sign_in()
                self._signed_in[by] = now
        return await self.people[by].token()

    def key(self) -> str:
        """A fresh idempotency key."""
        return self.stage.key()

    def draft(self, side: str = "B", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a draft
        """A draft of one side's staff."""
        doctor = "family doctor" if side == "B" else "second cardiologist"
        return {
            "sender": {"officeId": self.ids[f"{side} office"], "providerId": self.ids[doctor]},
            "patient": {"givenName": "Jordan", "familyName": "Zelenka", "bornOn": "1961-04-12"},
            "specialtyCode": CARDIOLOGY,
            **more,
        }

    def close(self) -> None:
        """Hang up."""
        self._pool.close()


async def settle(system: System) -> Town:
    """Build the town."""
    stage = stage_of(system, Listener())
    for _, act in ACTS[:UNTIL_PLANS]:
        await act(stage)
    await asyncio.gather(*(_invite(stage, *one) for one in MORE))
    await care.referrals_are_sent(stage)
    town = Town(system, stage)
    for person in (stage.people[role] for role in ("A admin", "A staff", "A insurance manager")):
        await person.sign_in()
    await _keep_secrets(town)
    return town


async def _invite(
    stage: Stage, role: str, name: str, organization: str, roles: tuple[dict[str, str], ...]
) -> None:
    email = address(name, organization)
    given = {"email": email, "name": name, "roles": roles, "idempotencyKey": stage.key()}
    await stage.people[f"{role[0]} admin"].do(
        "inviteUser", given, "... on UserInvited { user { id } }"
    )
    await stage.confirmed(role, name, email)


async def _keep_secrets(town: Town) -> None:
    """Things of A that nobody else may know of, and a referral within A."""
    provider, office, group, partner = SECRET_NAMES
    admin, ids = town.people["A admin"], town.ids
    given: dict[str, Any] = {"firstName": provider, "lastName": "Person"}
    ids["hidden provider"] = await _made(town, admin, "addProvider", "Provider", given)
    given = {
        "name": office,
        "address": {"line1": "1 A", "city": "Chicago", "region": "IL", "postalCode": "60601"},
        "coordinates": {"latitude": 41.9, "longitude": -87.6},
        "phone": "312-555-0177",
        "timeZone": "America/New_York",
        "goLiveOn": (town.stage.today() + timedelta(days=60)).isoformat(),
        "providerIds": [ids["second cardiologist"], ids["hidden provider"]],
    }
    ids["hidden office"] = await _made(town, admin, "addOffice", "Office", given)
    given = {"name": group, "officeIds": [ids["A office"]]}
    given["providerIds"] = [ids["third cardiologist"]]
    ids["hidden group"] = await _made(town, admin, "addGroup", "Group", given)
    wanted = "... on PartnerAdded { partner { id } }"
    added = await admin.do("addPartner", {"name": partner, "idempotencyKey": town.key()}, wanted)
    ids["hidden partner"] = added["partner"]["id"]
    receiver = {"officeId": ids["A office"], "providerId": ids["first cardiologist"]}
    given = {"draft": town.draft("A", receiver=receiver)}
    ids["inner referral"] = await _made(
        town, town.people["A staff"], "sendReferral", "Referral", given
    )
    await _keep_rows(town)


async def _keep_rows(town: Town) -> None:
    """A placement of A, and plan rows of what is hidden."""
    ids = town.ids
    query = "query($id: ID!) { office(id: $id) { placements { edges { node { id } } } } }"
    seen = await town.people["A admin"].ask(query, id=ids["hidden office"])
    ids["hidden placement"] = seen["office"]["placements"]["edges"][0]["node"]["id"]
    given = {
        "providerId": ids["hidden provider"],
        "officeId": ids["hidden office"],
        "planId": ids["plan"],
        "effectiveFrom": (town.stage.today() + timedelta(days=90)).isoformat(),
    }
    manager = town.people["A insurance manager"]
    ids["hidden row"] = await _made(town, manager, "addParticipation", "Participation", given)


async def _made(town: Town, by: Person, verb: str, kind: str, given: dict[str, Any]) -> str:
    done = await by.do(verb, given | {"idempotencyKey": town.key()}, f"... on {kind} {{ id }}")
    id_: str = done["id"]
    return id_


async def begin_with_temporary_password(town: Town) -> str:
    """Invite somebody as client admin of A, and answer the token of a session from the mail's temporary password."""
    email = f"newcomer-{town.key()}@lakeside.example"
    given = {
        "email": email,
        "name": "Newcomer",
        "roles": [{"role": "CLIENT_ADMIN"}],
        "idempotencyKey": town.key(),
    }
    admin = town.people["A admin"]
    await admin.do("inviteUser", given, "... on UserInvited { user { id } }")
    password = temporary_password(await town.stage.postbox.letter(email))
    session = await town.stage.client.do(
        "signIn", {"email": email, "password": password}, "... on SignedIn { accessToken }"
    )
    token: str = session["accessToken"]
    return token
