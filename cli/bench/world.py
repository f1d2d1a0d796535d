"""The world that is measured: two organizations of the journey, and in one of them fifty more providers, at several offices
and with several plans. All of it is made through the public doors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from cli.demo import ephemeral_system, stage_of
from cli.journey import opening, places
from cli.journey.places import CARDIOLOGY, FAMILY_MEDICINE, LAKESIDE_POINT
from cli.journey.stage import ZONE, Stage, closing
from cli.network import Person
from cli.system import System
from services.directory.domain.profiles import npi_is_valid

PROVIDERS = 50
MORE_OFFICES = 3
PLANS = 4
AT_ONCE = 8
COMMIT_TIMES = {"track_commit_timestamp": "on"}
"""PostgreSQL remembers when each transaction was committed: what the facts are measured with."""

NO_BUDGET = {"COST_PER_MINUTE": "1000000000"}
"""One user asks here for what a thousand ask for elsewhere."""


@dataclass(frozen=True)
class World:
    """What the benchmarks use: the system, its people, and whom a referral can be sent to."""

    system: System
    stage: Stage
    providers: Sequence[str]

    @property
    def manager(self) -> Person:
        """Who lists the providers."""
        return self.stage.people["A admin"]

    @property
    def sender(self) -> Person:
        """Who sends referrals, from the other organization."""
        return self.stage.people["B staff"]


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A system of its own with this world, durable as a real one; forgotten at the end."""
    async with (
        ephemeral_system(durable=True, postgres=COMMIT_TIMES, environment=NO_BUDGET) as system,
        closing(stage_of(system, _Silent())) as stage,
    ):
        yield World(system, stage, await _make(stage))


class _Silent:
    def act(self, title: str) -> None:
        """Nobody is told."""

    def say(self, what: str) -> None:
        """Nobody is told."""


async def _make(stage: Stage) -> list[str]:
    await opening.organizations_open(stage)
    await opening.staff_confirm(stage)
    await places.office_is_added(stage)
    await places.sender_gets_ready(stage)
    providers = await _add_providers(stage)
    offices = await _add_offices(stage, providers)
    await places.offices_go_live(stage)
    for role in ("A admin", "A insurance manager", "B staff"):
        await stage.people[role].sign_in()  # the days that passed ended their sessions
    plans = await _add_plans(stage)
    for number, office in enumerate([stage.ids["A office"], *offices]):
        at = providers if number == 0 else providers[number - 1 :: MORE_OFFICES]
        await _together(_accept_plans(stage, provider, office, plans) for provider in at)
    return providers


async def _add_providers(stage: Stage) -> list[str]:
    """Approved providers, all of them at the first office."""
    admin = stage.people["A admin"]
    rows = [
        {
            "firstName": "Sample",
            "lastName": f"Provider {number:02}",
            "npi": sample_npi(number),
            "credential": "MD",
            "phone": "312-555-0142",
            "specialtyCodes": [CARDIOLOGY, FAMILY_MEDICINE],
        }
        for number in range(PROVIDERS)
    ]
    given = {"idempotencyKey": stage.key(), "rows": rows, "submit": True}
    wanted = "... on ImportedProviders { added rows { providerId } }"
    imported = await admin.do("importProviders", given, wanted)
    providers = [row["providerId"] for row in imported["rows"]]
    await _together(_approve(stage, provider) for provider in providers)
    return providers


async def _approve(stage: Stage, provider: str) -> None:
    admin = stage.people["A admin"]
    query = "query($id: ID!) { provider(id: $id) { version } }"
    version = (await admin.ask(query, id=provider))["provider"]["version"]
    given = {"providerId": provider, "expectedVersion": version}
    await admin.do("approveProvider", given, "... on Provider { id }")
    placement = {
        "idempotencyKey": stage.key(),
        "providerId": provider,
        "officeId": stage.ids["A office"],
    }
    await admin.do("addPlacement", placement, "... on Placement { id }")


async def _add_offices(stage: Stage, providers: Sequence[str]) -> list[str]:
    """More offices, with the providers spread over them."""
    offices = []
    for number in range(MORE_OFFICES):
        given = {
            "idempotencyKey": stage.key(),
            "name": f"Lakeside Heart Clinic {number + 2}",
            "address": {
                "line1": f"{number + 2} Main Street",
                "city": "Chicago",
                "region": "IL",
                "postalCode": "60601",
            },
            "coordinates": LAKESIDE_POINT,
            "phone": f"312-555-{200 + number:04d}",
            "timeZone": ZONE,
            "goLiveOn": (stage.today() + timedelta(days=8)).isoformat(),
            "providerIds": list(providers[number::MORE_OFFICES]),
        }
        admin = stage.people["A admin"]
        offices.append((await admin.do("addOffice", given, "... on Office { id }"))["id"])
    return offices


async def _add_plans(stage: Stage) -> list[str]:
    payer = {"name": "Prairie Mutual", "idempotencyKey": stage.key()}
    payer_id = (await stage.support.do("addPayer", payer, "... on Payer { id }"))["id"]
    plans = []
    for number in range(PLANS):
        given = {
            "payerId": payer_id,
            "name": f"Prairie Mutual PPO {number + 1}",
            "productType": "COMMPPO",
            "effectiveFrom": "2020-01-01",
            "idempotencyKey": stage.key(),
        }
        added = await stage.support.do("addInsurancePlan", given, "... on InsurancePlan { id }")
        plans.append(added["id"])
    stage.ids["plan"] = plans[0]
    return plans


async def _accept_plans(stage: Stage, provider: str, office: str, plans: Sequence[str]) -> None:
    given = {
        "providerId": provider,
        "officeId": office,
        "planIds": list(plans),
        "effectiveFrom": stage.today().isoformat(),
        "idempotencyKey": stage.key(),
    }
    manager = stage.people["A insurance manager"]
    await manager.do("addParticipations", given, "... on ParticipationsAdded { __typename }")


async def _together(work: Iterable[Awaitable[None]]) -> None:
    """Do these, a few at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(item: Awaitable[None]) -> None:
        async with turns:
            await item

    await asyncio.gather(*(one(item) for item in work))


def sample_npi(number: int) -> str:
    """A valid NPI that belongs to nobody: 15555 and the number."""
    stem = f"15555{number:04}"
    return next(stem + digit for digit in "0123456789" if npi_is_valid(stem + digit))
