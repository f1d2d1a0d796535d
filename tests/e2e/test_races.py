"""Races that cross services, from two real connections, many times."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import Any

import pytest

from cli.demo import ephemeral_system, stage_of
from cli.journey import ACTS, Stage
from cli.journey.places import CARDIOLOGY
from cli.journey.stage import closing
from cli.network import Client, Person, Refused
from tests.e2e.test_journey import Listener

ROUNDS = 40
LIVE = 6
"""So many acts until both offices are live."""


@dataclass(frozen=True)
class Racers:
    """The two who race, each on a connection of their own."""

    stage: Stage
    admin: Person
    sender: Person

    async def provider(self, number: int) -> str:
        """One more approved cardiologist at the receiving office."""
        given = {
            "firstName": "Racer",
            "lastName": f"Number {number}",
            "npi": npi(number),
            "phone": "312-555-0142",
            "specialtyCodes": [CARDIOLOGY],
            "submit": True,
            "idempotencyKey": self.stage.key(),
        }
        added = await self.admin.do("addProvider", given, "... on Provider { id version }")
        seen = {"providerId": added["id"], "expectedVersion": added["version"]}
        await self.admin.do("approveProvider", seen, "... on Provider { id }")
        place = {
            "providerId": added["id"],
            "officeId": self.stage.ids["A office"],
            "idempotencyKey": self.stage.key(),
        }
        await self.admin.do("addPlacement", place, "... on Placement { id }")
        provider_id: str = added["id"]
        return provider_id

    async def send(self, provider_id: str) -> str:
        """The status of a referral sent, or the code of its refusal."""
        office, doctor = self.stage.ids["B office"], self.stage.ids["family doctor"]
        draft = {
            "sender": {"officeId": office, "providerId": doctor},
            "patient": {"givenName": "A", "familyName": "B", "bornOn": "1990-01-01"},
            "specialtyCode": CARDIOLOGY,
            "receiver": {"officeId": self.stage.ids["A office"], "providerId": provider_id},
        }
        given = {"idempotencyKey": self.stage.key(), "draft": draft}
        return await outcome(
            self.sender.do("sendReferral", given, "... on Referral { id status }"), "status"
        )

    async def remove(self, provider_id: str) -> str:
        """End the placement and remove the provider: the state reached, or the code of the refusal."""
        query = "query($id: ID!) { provider(id: $id) { version placements { id version } } }"
        seen = (await self.admin.ask(query, id=provider_id))["provider"]
        for placement in seen["placements"]:
            end = {"placementId": placement["id"], "expectedVersion": placement["version"]}
            await self.admin.do("endPlacement", end, "... on Placement { id }")
        seen = (await self.admin.ask(query, id=provider_id))["provider"]
        query = "query($id: ID!) { providerRemovalPreview(providerId: $id) { token } }"
        given = (await self.admin.ask(query, id=provider_id))["providerRemovalPreview"]
        given |= {"providerId": provider_id, "expectedVersion": seen["version"]}
        return await outcome(
            self.admin.do("removeProvider", given, "... on Provider { id state }"), "state"
        )

    async def open_referrals(self, provider_id: str) -> int:
        """How many open referrals the provider has, as the receiving organization counts them."""
        query = "query($id: ID!) { provider(id: $id) { openReferralCount } }"
        found: int = (await self.admin.ask(query, id=provider_id))["provider"]["openReferralCount"]
        return found


async def outcome(attempt: Awaitable[dict[str, Any]], field: str) -> str:
    """What became of an attempt, in one word."""
    try:
        return str((await attempt)[field])
    except Refused as refusal:
        return refusal.code


def npi(number: int) -> str:
    """A number with a right check digit, for an invented provider."""
    digits = f"{150000000 + number:09d}"
    total = 24 + sum(
        sum(divmod(2 * int(digit), 10)) if place % 2 == 0 else int(digit)
        for place, digit in enumerate(digits)
    )
    return f"{digits}{-total % 10}"


@pytest.fixture
async def racers() -> AsyncIterator[Racers]:
    async with ephemeral_system() as system, closing(stage_of(system, Listener())) as stage:
        for _, act in ACTS[:LIVE]:
            await act(stage)
        admin, sender = stage.people["A admin"], stage.people["B staff"]
        for person in (admin, sender):
            person.client = Client(system.url)
            await person.sign_in()
        yield Racers(stage, admin, sender)
        for person in (admin, sender):
            person.client.close()


async def test_a_send_that_races_a_removal_never_leaves_an_orphan(racers: Racers) -> None:
    """R15: the send is refused, or the removal is; never neither."""
    outcomes = []
    for number in range(ROUNDS):
        provider_id = await racers.provider(number)
        removed, sent = await asyncio.gather(racers.remove(provider_id), racers.send(provider_id))
        outcomes.append((removed, sent))
        assert await racers.open_referrals(provider_id) == (sent == "PENDING"), outcomes
        assert (removed == "REMOVED") != (sent == "PENDING"), outcomes

    print(Counter(outcomes))  # noqa: T201 - shown with -s: how the races went
    assert {removed for removed, _ in outcomes} <= {
        "REMOVED",
        "OPEN_REFERRALS",
        "STALE_PREVIEW",
    }, outcomes
    assert {sent for _, sent in outcomes} <= {
        "PENDING",
        "RECEIVER_LEAVING",
        "NOT_PLACED",
        "NOT_FOUND",
    }, outcomes
