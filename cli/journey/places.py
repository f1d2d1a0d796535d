"""Acts 3 to 6: providers, offices, the group, and go-live."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cli.journey.opening import grant
from cli.journey.stage import ZONE, Stage

CARDIOLOGY, FAMILY_MEDICINE = "207RC0000X", "207Q00000X"
CARDIOLOGISTS = (
    ("first cardiologist", "Ada", "Lindholm", "1000000004"),
    ("second cardiologist", "Igor", "Castellano", "1000000012"),
    ("third cardiologist", "Mei", "Tanaka", "1000000020"),
)
LAKESIDE_POINT = {"latitude": 41.88, "longitude": -87.62}
RIVERBEND_POINT = {"latitude": 41.93, "longitude": -87.70}
OFFICE = "... on Office { id state version }"
PROVIDER = "... on Provider { id state version }"


async def office_is_added(stage: Stage) -> None:
    """Three cardiologists and their office: six days are too short without a reason, eight will do (R16, R17)."""
    admin = stage.people["A admin"]
    for label, first, last, npi in CARDIOLOGISTS:
        await _add_provider(stage, "A admin", label, _profile(first, last, npi, CARDIOLOGY))
    given = _office(stage, "Lakeside Heart Clinic, Lake Street", LAKESIDE_POINT)
    given["providerIds"] = [stage.ids[label] for label, *_ in CARDIOLOGISTS]

    soon = (stage.today() + timedelta(days=6)).isoformat()
    await stage.refused(
        "LEAD_TIME_SHORT", admin.do("addOffice", given | {"goLiveOn": soon}, OFFICE)
    )
    given |= {"idempotencyKey": stage.key()}
    office = await admin.do("addOffice", given, OFFICE)
    stage.ids["A office"] = office["id"]
    stage.say(f"{admin.name} added the office; it goes live on {given['goLiveOn']}")
    await grant(stage, "A admin", "A office admin", "OFFICE_ADMIN", "A office")
    for role in ("A staff", "A second staff"):
        await grant(stage, "A admin", role, "OFFICE_STAFF", "A office")
    await _attest(
        stage, "A office admin", "A office", "A office admin", "A staff", "A second staff"
    )
    for label, *_ in CARDIOLOGISTS:
        await _approve(stage, "A admin", label)


async def group_is_added(stage: Stage) -> None:
    """Three of one specialty at one office: a group is suggested, made a receiver and staffed (R20, R23)."""
    admin = stage.people["A admin"]
    query = "{ groupSuggestions { edges { node { specialty { name } providers { id } } } } }"

    async def suggestions() -> list[dict[str, Any]]:
        return (await admin.ask(query))["groupSuggestions"]["edges"]  # type: ignore[no-any-return]

    (edge,) = await stage.eventually("a suggestion", suggestions, lambda found: len(found) == 1)
    node = edge["node"]
    stage.say(f"suggested: a group for {len(node['providers'])} in {node['specialty']['name']}")
    given = {
        "idempotencyKey": stage.key(),
        "name": "Lakeside Cardiology",
        "officeIds": [stage.ids["A office"]],
        "providerIds": [provider["id"] for provider in node["providers"]],
        "staffUserIds": [stage.people[role].user_id for role in ("A staff", "A second staff")],
        "mayReceive": True,
    }
    group = await admin.do("addGroup", given, "... on Group { id state mayReceive }")
    stage.ids["group"] = group["id"]
    stage.expect(group["state"] == "READY", f"a staffed group is ready: {group}")
    await stage.eventually("the suggestion closes", suggestions, lambda found: not found)
    stage.say(f"{admin.name} made the group {given['name']}, with staff; it is ready to receive")


async def sender_gets_ready(stage: Stage) -> None:
    """The other organization has a family doctor and a cardiologist of its own, and an office."""
    doctors = (
        ("family doctor", _profile("Rosa", "Whitfield", "1999999992", FAMILY_MEDICINE)),
        ("own cardiologist", _profile("Emil", "Novak", "1000000004", CARDIOLOGY)),
    )
    for label, profile in doctors:
        await _add_provider(stage, "B admin", label, profile)
        await _approve(stage, "B admin", label)
    given = _office(stage, "Riverbend Family Practice, Mill Road", RIVERBEND_POINT)
    given["providerIds"] = [stage.ids[label] for label, _ in doctors]
    office = await stage.people["B admin"].do("addOffice", given, OFFICE)
    stage.ids["B office"] = office["id"]
    await grant(stage, "B admin", "B staff", "OFFICE_STAFF", "B office")
    await _attest(stage, "B admin", "B office", "B staff")


async def offices_go_live(stage: Stage) -> None:
    """Time passes go-live: both offices are live at their local midnight."""
    await stage.move(9)
    query = "query($id: ID!) { office(id: $id) { name state } }"
    for admin, office in (("A admin", "A office"), ("B admin", "B office")):
        seen = (await stage.people[admin].ask(query, id=stage.ids[office]))["office"]
        stage.expect(seen["state"] == "LIVE", f"the office should be live: {seen}")
        stage.say(f"{seen['name']} is live")


def _profile(first: str, last: str, npi: str, specialty: str) -> dict[str, Any]:
    return {
        "firstName": first,
        "lastName": last,
        "npi": npi,
        "credential": "MD",
        "phone": "312-555-0142",
        "specialtyCodes": [specialty],
    }


def _office(stage: Stage, name: str, point: dict[str, float]) -> dict[str, Any]:
    return {
        "idempotencyKey": stage.key(),
        "name": name,
        "address": {
            "line1": "1 Main Street",
            "city": "Chicago",
            "region": "IL",
            "postalCode": "60601",
        },
        "coordinates": point,
        "phone": "312-555-0100",
        "timeZone": ZONE,
        "goLiveOn": (stage.today() + timedelta(days=8)).isoformat(),
    }


async def _attest(stage: Stage, by: str, office: str, *staff: str) -> None:
    """Somebody says who works there: an office waits for that (R18)."""
    person, query = stage.people[by], "query($id: ID!) { office(id: $id) { name version } }"
    seen = (await person.ask(query, id=stage.ids[office]))["office"]
    given = {
        "officeId": stage.ids[office],
        "expectedVersion": seen["version"],
        "userIds": [stage.people[one].user_id for one in staff],
    }
    await person.do("attestRoster", given, OFFICE)
    stage.say(f"{person.name} attested who works at {seen['name']}: {len(staff)}")


async def _add_provider(stage: Stage, admin: str, label: str, profile: dict[str, Any]) -> None:
    given = profile | {"idempotencyKey": stage.key(), "submit": True}
    provider = await stage.people[admin].do("addProvider", given, PROVIDER)
    stage.ids[label] = provider["id"]


async def _approve(stage: Stage, admin: str, label: str) -> None:
    by = stage.people[admin]
    query = "query($id: ID!) { provider(id: $id) { name version } }"
    seen = (await by.ask(query, id=stage.ids[label]))["provider"]
    given = {"providerId": stage.ids[label], "expectedVersion": seen["version"]}
    approved = await by.do("approveProvider", given, PROVIDER)
    stage.expect(approved["state"] == "APPROVED", f"approval gave {approved}")
    stage.say(f"{by.name} approved {seen['name']}")
