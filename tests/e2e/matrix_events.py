"""What happens in the world of the matrix once its offices are live: referrals, reports, and people who go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

from cli.network.people import temporary_password
from tests.e2e.matrix_files import FILES, attach
from tests.e2e.matrix_stage import CARDIOLOGY, World, invited
from tests.model.cast import MAPLE, NORTH


async def go_on(world: World) -> None:
    await world.change(world.by(MAPLE), "closeOffice", "office closed", {"confirmOrphans": True})
    await asyncio.gather(_placements(world), _partners(world), _referrals(world))
    await _finish(world)
    await _participations(world)
    await _campaigns(world)
    await _reports(world)
    await _guides(world)
    await _trainings(world)
    await _leave(world)
    await _people_go(world)


async def _placements(world: World) -> None:
    query = """query($id: ID!) { office(id: $id) { placements {
        edges { node { id provider { id } } } } } }"""
    for name in ("here", "there", "planned", "theirs", "their planned"):
        organization = NORTH if name.startswith("their") else MAPLE
        seen = await world.by(organization).ask(query, id=world.ids[f"office {name}"])
        for edge in seen["office"]["placements"]["edges"]:
            node = edge["node"]
            leaver = node["provider"]["id"] == world.ids["provider leaver"]
            world.ids["placement leaver" if leaver else f"placement {name}"] = node["id"]


async def _partners(world: World) -> None:
    for name, organization in (("partner", MAPLE), ("removed", MAPLE), ("theirs", NORTH)):
        called = "Removed" if name == "removed" else "Partner"
        given = {"name": called, "idempotencyKey": world.stage.key()}
        wanted = "... on PartnerAdded { partner { id version } }"
        partner = (await world.by(organization).do("addPartner", given, wanted))["partner"]
        world.ids[f"partner {name}"] = partner["id"]
        if name == "removed":
            order = {"partnerId": partner["id"], "expectedVersion": partner["version"]}
            await world.by(organization).do("removePartner", order, "... on Partner { id }")


async def _participations(world: World) -> None:
    ids, today = world.ids, world.stage.today()
    for name, office, doctor, days in (
        ("here", "here", "doctor here", 0),
        ("ended", "here", "leaver", 0),
        ("there", "there", "doctor there", 0),
        ("planned", "planned", "doctor there", 400),
        ("theirs", "theirs", "their doctor", 0),
        ("their planned", "their planned", "their doctor", 400),
    ):
        given = {
            "providerId": ids[f"provider {doctor}"],
            "officeId": ids[f"office {office}"],
            "planId": ids["plan plan"],
            "effectiveFrom": (today + timedelta(days=days)).isoformat(),
            "source": "PAYER" if name in {"there", "theirs"} else "ORGANIZATION",
        }
        admin = world.by(NORTH if office.startswith("their") else MAPLE)
        kind, known_as = "Participation", f"participation {name}"
        await world.make(admin, "addParticipation", kind, known_as, given)


async def _referrals(world: World) -> None:
    send = _sender(world)
    await send("to here", "their staff", {"officeId": "here", "providerId": "doctor here"})
    await send("to there", "their staff", {"officeId": "there", "providerId": "doctor there"})
    await send("to the team", "their staff", {"officeId": "here", "groupId": "team"})
    await send("from here", "staff here", {"officeId": "theirs", "providerId": "their doctor"})
    await send("within", "staff there", {"officeId": "here", "providerId": "doctor here"})
    await send("passed on", "staff there", {"officeId": "here", "providerId": "doctor here"})
    await send("cancelled", "their staff", {"officeId": "here", "providerId": "doctor here"})
    await send("to the leaver", "their staff", {"officeId": "here", "providerId": "leaver"})
    await send("finished", "their staff", {"officeId": "here", "providerId": "doctor here"})
    await send("draft there", "staff there", None)
    await send("their draft", "their staff", None)
    people = world.stage.people
    onward = {"receiver": _receiver(world, {"officeId": "theirs", "providerId": "their doctor"})}
    await world.change(people["staff here"], "forwardReferral", "referral passed on", onward)
    for name, by in (("to here", "their staff"), ("passed on", "staff there")):
        said = {"referralId": world.ids[f"referral {name}"], "text": "Please call first."}
        said["idempotencyKey"] = world.stage.key()
        await people[by].do("sendMessage", said, "__typename")
    for name, by in FILES.items():
        world.ids[f"file of {name}"] = await attach(world, by, name)
    for name in ("referral cancelled", "referral to the leaver"):
        back = {"reasonCode": "RAISED_IN_ERROR"}
        await world.change(people["their staff"], "cancelReferral", name, back)


async def _finish(world: World) -> None:
    """One is seen, and reported back."""
    name, at = "referral finished", world.stage.now() + timedelta(hours=1)
    by = world.stage.people["staff here"]
    await world.change(by, "scheduleReferral", name, {"at": at.isoformat()})
    await world.stage.move(1)
    world.refresh = ""
    await world.sign_in_anew()
    await world.change(by, "completeReferral", name, {})
    await world.change(by, "attachOutcome", name, {"report": "All is well."})


def _receiver(world: World, names: dict[str, str]) -> dict[str, str]:
    return {key: world.ids[f"{key.removesuffix('Id')} {name}"] for key, name in names.items()}


HOMES = {
    "staff here": ("here", "doctor here"),
    "staff there": ("there", "doctor there"),
    "their staff": ("theirs", "their doctor"),
}


def _sender(world: World) -> Callable[[str, str, dict[str, str] | None], Awaitable[None]]:
    async def send(name: str, by: str, receiver: dict[str, str] | None) -> None:
        office, doctor = HOMES[by]
        draft: dict[str, Any] = {
            "sender": _receiver(world, {"officeId": office, "providerId": doctor}),
            "patient": {"givenName": "Jordan", "familyName": "Zelenka", "bornOn": "1961-04-12"},
            "specialtyCode": CARDIOLOGY,
        }
        if receiver:
            draft["receiver"] = _receiver(world, receiver)
        verb = "sendReferral" if receiver else "createDraft"
        person = world.stage.people[by]
        await world.make(person, verb, "Referral", f"referral {name}", {"draft": draft})

    return send


async def _campaigns(world: World) -> None:
    """A major change of the plan is declared in both organizations: each place where it is accepted is to be looked at."""
    query = """query($id: ID!) { campaign(id: $id) { items(first: 100) {
        edges { node { id office { id } } } } } }"""
    for organization in (MAPLE, NORTH):
        given = {"reason": "The plan has changed", "planIds": [world.ids["plan plan"]]}
        name, by = f"campaign {organization}", world.by(organization)
        await world.make(by, "declareMajorChange", "Campaign", name, given)
        seen = await by.ask(query, id=world.ids[name])
        items = {
            edge["node"]["office"]["id"]: edge["node"]["id"]
            for edge in seen["campaign"]["items"]["edges"]
        }
        for office in ("here", "there") if organization == MAPLE else ("theirs",):
            world.ids[f"item {office}"] = items[world.ids[f"office {office}"]]


async def _reports(world: World) -> None:
    query = """query($id: ID!, $day: Date!) { groupProgressReport(groupId: $id, weekOf: $day) {
        published { id } } }"""
    for name, organization in (("team", MAPLE), ("their team", NORTH)):
        ask = partial(
            world.by(organization).ask, query, id=world.ids[f"group {name}"], day=world.last_week
        )
        seen = await world.stage.eventually(
            "last week's report is published",
            ask,
            lambda told: bool((told["groupProgressReport"] or {}).get("published")),
        )
        world.ids[f"report {name}"] = seen["groupProgressReport"]["published"]["id"]


async def _guides(world: World) -> None:
    """A published one for the staff of each organization, and a draft."""
    for name, organization in (("for staff", MAPLE), ("draft", MAPLE), ("theirs", NORTH)):
        given = {
            "kind": "RECEIVING",
            "title": f"Guide {name}",
            "text": "Answer within a week.",
            "roles": ["OFFICE_STAFF"],
        }
        by = world.by(organization)
        await world.make(by, "addGuide", "Guide", f"guide {name}", given)
        if name != "draft":
            await world.change(by, "publishGuide", f"guide {name}", {})


async def _trainings(world: World) -> None:
    """Something to learn for whoever works at an office."""
    for office, organization in (("here", MAPLE), ("theirs", NORTH)):
        given = {
            "title": f"Training {office}",
            "officeIds": [world.ids[f"office {office}"]],
            "dueOn": (world.stage.today() + timedelta(days=30)).isoformat(),
        }
        by = world.by(organization)
        await world.make(by, "assignTraining", "Training", f"training {office}", given)


async def _leave(world: World) -> None:
    """The leaver leaves; a change of another doctor's profile waits, and what was asked for is turned down."""
    admin, ids = world.by(MAPLE), world.ids
    query = "query($id: ID!) { provider(id: $id) { placements { id version } } }"
    seen = await admin.ask(query, id=ids["provider leaver"])
    (placement,) = seen["provider"]["placements"]
    order = {"placementId": placement["id"], "expectedVersion": placement["version"]}
    await admin.do("endPlacement", order, "... on Placement { id }")
    await world.change(admin, "removeProvider", "provider leaver", {})
    asks = world.stage.people["admin here"]
    await world.change(asks, "changeProvider", "provider doctor here", {"phone": "312-555-0199"})
    await world.change(asks, "submitProvider", "provider requested", {})
    await world.change(admin, "rejectProvider", "provider requested", {"reason": "Not ours"})


async def _people_go(world: World) -> None:
    people, tokens = world.stage.people, world.tokens
    for name in ("deactivated", "signed out"):
        await people[name].sign_in()
        tokens[name] = await people[name].token()
    await people["signed out"].ask("mutation { signOut { __typename } }")
    await world.change(world.by(MAPLE), "deactivateUser", "user deactivated", {})
    for name, role in (
        ("temporary password", ("CLIENT_ADMIN", "")),
        ("invited here", ("OFFICE_STAFF", "here")),
    ):
        email = f"{name.replace(' ', '.')}@maple.example"
        world.ids[f"user {name}"] = await invited(world, MAPLE, email, (role,))
    letter = await world.stage.postbox.letter(world.newcomer.email)
    world.newcomer.password = temporary_password(letter)
