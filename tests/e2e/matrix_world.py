"""The cast of tests/model, brought to life on a system of its own: two organizations, each person, each thing, by the public door."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import count
from typing import Any

from cli.demo import stage_of
from cli.journey.stage import ZONE, new_password
from cli.system import System
from tests.e2e.matrix_events import go_on
from tests.e2e.matrix_stage import ADMIN, CARDIOLOGY, GUEST, World, invited
from tests.e2e.town import Listener
from tests.model.cast import MAPLE, NORTH
from tests.model.words import WORKING_ROLES

NPIS = iter(("1000000004", "1000000012", "1000000020", "1999999992"))
NUMBERS = count(1)
"""No two offices have a door, a place or a telephone in common."""

WEDNESDAY = 2
STAFFED = ("here", "there", "closed", "theirs")
ROLES: dict[str, tuple[tuple[str, str], ...]] = {
    "staff here": (("OFFICE_STAFF", "here"),),
    "second staff here": (("OFFICE_STAFF", "here"),),
    "staff there": (("OFFICE_STAFF", "there"),),
    "admin here": (("OFFICE_ADMIN", "here"),),
    "client admin with a queue": (("CLIENT_ADMIN", ""), ("OFFICE_STAFF", "here")),
    "insurance manager": (("INSURANCE_MANAGER", ""),),
    "insurance manager here": (("INSURANCE_MANAGER", "here"),),
    "call centre": (("CALL_CENTRE", ""),),
    "reporting only": (("REPORTING_ONLY", ""),),
    "provider": (("PROVIDER", ""),),
    "group staff": (),
    "idle": (),
    "deactivated": (("OFFICE_STAFF", "here"),),
    "signed out": (("CLIENT_ADMIN", ""),),
    "their staff": (("OFFICE_STAFF", "theirs"),),
    "their office admin": (("OFFICE_ADMIN", "theirs"),),
    "their insurance manager": (("INSURANCE_MANAGER", ""),),
    "their idle": (),
    "closed": (("OFFICE_STAFF", "closed"),),
}
"""Who is invited, and as what."""


async def create(system: System) -> World:
    """Make everything."""
    stage = stage_of(system, Listener())
    stage.people["support"] = stage.support
    world = World(system, stage)
    for organization in (MAPLE, NORTH):
        await _open(world, organization)
    await _plan(world)
    await asyncio.gather(*(_place(world, organization) for organization in (MAPLE, NORTH)))
    await _invite(world)
    await _groups(world)
    await asyncio.gather(*(_attest(world, office) for office in STAFFED))
    days = next(
        n for n in range(8, 15) if (stage.today() + timedelta(days=n)).weekday() == WEDNESDAY
    )
    await stage.move(days)
    await world.sign_in_anew()
    await go_on(world)
    return world


async def _open(world: World, organization: str) -> None:
    email = f"admin@{organization}.example"
    given = {
        "name": organization.title(),
        "timeZone": ZONE,
        "clientAdmin": {"email": email, "name": ADMIN[organization]},
        "idempotencyKey": world.stage.key(),
    }
    wanted = "... on OrganizationAdded { organization { id } }"
    added = await world.stage.support.do("addOrganization", given, wanted)
    world.ids[f"organization {organization}"] = added["organization"]["id"]
    await world.stage.confirmed(ADMIN[organization], "An Admin", email)


async def _plan(world: World) -> None:
    support = world.stage.support
    await world.make(support, "addPayer", "Payer", "payer payer", {"name": "Matrix Mutual"})
    plan = {
        "payerId": world.ids["payer payer"],
        "name": "Matrix PPO",
        "productType": "COMMPPO",
        "effectiveFrom": "2020-01-01",
    }
    await world.make(support, "addInsurancePlan", "InsurancePlan", "plan plan", plan)
    plans = (await support.ask("{ insurancePlans { edges { node { id selfPay } } } }"))[
        "insurancePlans"
    ]
    (world.ids["plan self-pay"],) = (
        edge["node"]["id"] for edge in plans["edges"] if edge["node"]["selfPay"]
    )


# Places ---------------------------------------------------------------------------------------------------------------


async def _place(world: World, organization: str) -> None:
    doctors = (
        ("doctor here", "doctor there", "leaver") if organization == MAPLE else ("their doctor",)
    )
    for name in doctors:
        await _doctor(world, organization, name)
    draft = "draft" if organization == MAPLE else "their draft"
    profile = {"firstName": "Unseen", "lastName": draft.title()}
    admin = world.by(organization)
    await world.make(admin, "addProvider", "Provider", f"provider {draft}", profile)
    if organization == MAPLE:
        await _office(world, organization, "here", ["doctor here", "leaver"])
        soon = {"acknowledgeShortLeadTime": True, "reason": "Matrix"}
        await _office(world, organization, "there", ["doctor there"], days=3, **soon)
        await _office(world, organization, "planned", ["doctor there"], days=400)
        await _office(world, organization, "closed", [], groupOnly=True)
    else:
        await _office(world, organization, "theirs", ["their doctor"])
        await _office(world, organization, "their planned", ["their doctor"], days=400)


async def _doctor(world: World, organization: str, name: str) -> None:
    admin = world.by(organization)
    profile = {
        "firstName": "Dana",
        "lastName": name.title(),
        "npi": next(NPIS),
        "phone": "312-555-0142",
        "specialtyCodes": [CARDIOLOGY],
        "email": "somebody@office.example",
        "submit": True,
    }
    await world.make(admin, "addProvider", "Provider", f"provider {name}", profile)
    await world.change(admin, "approveProvider", f"provider {name}", {})


async def _office(
    world: World,
    organization: str,
    name: str,
    doctors: list[str],
    days: int = 7,
    **more: Any,  # noqa: ANN401 - any part of an input
) -> None:
    given = {
        "name": f"Office {name}",
        "address": {
            "line1": f"{next(NUMBERS)} {name.title()} Street",
            "city": "Chicago",
            "region": "IL",
            "postalCode": "60601",
        },
        "coordinates": {"latitude": 41.9 + next(NUMBERS) / 100, "longitude": -87.6},
        "phone": f"312-555-0{next(NUMBERS):03d}",
        "timeZone": ZONE,
        "goLiveOn": (world.stage.today() + timedelta(days=days)).isoformat(),
        "providerIds": [world.ids[f"provider {doctor}"] for doctor in doctors],
        **more,
    }
    await world.make(world.by(organization), "addOffice", "Office", f"office {name}", given)


# People ---------------------------------------------------------------------------------------------------------------


async def _invite(world: World) -> None:
    people = world.stage.people
    await asyncio.gather(*(_ask_in(world, name, roles) for name, roles in ROLES.items()))
    for name in ROLES:
        await world.stage.confirmed(name, name, _address(name))
    await invited(world, NORTH, GUEST, (("CLIENT_ADMIN", ""),))
    world.ids["user guest"] = await invited(world, MAPLE, GUEST, ())
    letter = await world.stage.postbox.letter(GUEST, lambda one: "token=" in one.text)
    await world.guest.confirm(letter, new_password())
    for admin in ADMIN.values():
        await people[admin].sign_in()
        world.ids[f"user {admin}"] = people[admin].user_id


async def _ask_in(world: World, name: str, roles: tuple[tuple[str, str], ...]) -> None:
    organization = NORTH if name.startswith("their") else MAPLE
    world.ids[f"user {name}"] = await invited(world, organization, _address(name), roles)


def _address(name: str) -> str:
    return f"{name.replace(' ', '.')}@{NORTH if name.startswith('their') else MAPLE}.example"


async def _attest(world: World, office: str) -> None:
    """Say that just those work there who were given a role at the office as its staff (R18): not who keeps its plans (R26)."""
    admin = world.by(NORTH if office.startswith("their") else MAPLE)
    query = "query($id: ID!) { office(id: $id) { roster { id } } }"
    working = {(role, office) for role in WORKING_ROLES}
    staff = {name for name, roles in ROLES.items() if working & set(roles)}

    async def roster() -> list[str]:
        seen = await admin.ask(query, id=world.ids[f"office {office}"])
        return [user["id"] for user in seen["office"]["roster"]]

    users = await world.stage.eventually(
        "the roster is known", roster, lambda found: len(found) == len(staff)
    )
    await world.change(admin, "attestRoster", f"office {office}", {"userIds": users})


async def _groups(world: World) -> None:
    ids, admin = world.ids, world.by(MAPLE)
    for name, office, doctors, staff in (
        ("team", "here", ["doctor here"], ["group staff"]),
        ("past", "here", ["doctor here"], ["group staff"]),
        ("bare", "there", ["doctor there"], []),
        ("their team", "theirs", ["their doctor"], ["their idle"]),
        ("their bare", "theirs", ["their doctor"], []),
    ):
        given = {
            "name": f"Group {name}",
            "officeIds": [ids[f"office {office}"]],
            "providerIds": [ids[f"provider {one}"] for one in doctors],
            "staffUserIds": [ids[f"user {one}"] for one in staff],
        }
        organization = NORTH if name.startswith("their") else MAPLE
        await world.make(world.by(organization), "addGroup", "Group", f"group {name}", given)
    await world.change(admin, "removeGroup", "group past", {})
    profile = {"firstName": "Asked", "lastName": "For"}
    asks = world.stage.people["admin here"]
    await world.make(asks, "addProvider", "Provider", "provider requested", profile)
