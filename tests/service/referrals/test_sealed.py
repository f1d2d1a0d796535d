"""Patients' data is closed at rest, opens for whom policy shows it, is found by exact words, and gets new keys."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from kit.auth import Kind, Viewer
from kit.db import Connection
from services.referrals.actions import patients
from services.referrals.actions.vault import Vault
from services.referrals.domain import ReferralId
from tests.service.referrals.asking import PROBLEM, Answer, act, at, draft, read, send
from tests.service.referrals.conftest import World

FIND = """
query ($search: PatientSearchInput!, $first: Int, $after: String) {
  patientReferrals(search: $search, first: $first, after: $after) {
    edges { node { id } } pageInfo { hasNextPage endCursor }
  }
}
"""
RENEW = f"""
mutation ($input: RenewPatientKeyInput!) {{
  renewPatientKey(input: $input) {{ ... on PatientKeyRenewed {{ number }} {PROBLEM} }}
}}
"""
SUPPORT = Viewer(kind=Kind.USER, user_id=uuid4(), session_id=uuid4(), support=True)


def canary() -> dict[str, str]:
    """A patient nobody else has."""
    mark = uuid4().hex[:12]
    return {
        "givenName": "Canarina",
        "familyName": f"Zeta-{mark}",
        "bornOn": "1961-02-03",
        "phone": f"+1 (555) {mark}",
        "memberNumber": f"AB-{mark}",
        "clinicalNote": f"note-{mark}",
    }


async def find(world: World, viewer: Viewer, **search: Any) -> list[str]:  # noqa: ANN401 - GraphQL variables
    """The ids of the referrals found."""
    data = await world.service.running.data(FIND, {"search": search}, viewer=viewer)
    return [edge["node"]["id"] for edge in data["patientReferrals"]["edges"]]


async def renew(world: World, viewer: Viewer, organization_id: UUID) -> Answer:
    """Ask for a new key."""
    given = {"input": {"organizationId": str(organization_id), "reason": "yearly"}}
    data = await world.service.running.data(RENEW, given, viewer=viewer)
    answer: Answer = data["renewPatientKey"]
    return answer


def whole(world: World) -> AbstractAsyncContextManager[Connection]:
    """A transaction that sees every organization's rows."""
    return world.service.running.parts.call().db.transaction()


async def box_of(world: World, referral: Answer) -> bytes:
    """The closed box of a referral's patient."""
    async with whole(world) as tx:
        box: bytes = await tx.fetchval(
            "SELECT box FROM patients WHERE referral_id = $1", referral["id"]
        )
    return box


async def everything_kept(world: World) -> str:
    """Every row of every table of the service's database, as text."""
    async with whole(world) as tx:
        tables = await tx.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [await tx.fetch(f"SELECT t::text FROM {row['tablename']} t") for row in tables]  # noqa: S608
    return "\n".join(row[0] for each in rows for row in each)


async def test_nothing_that_is_said_of_a_patient_is_kept_in_the_open(world: World) -> None:
    """45 CFR 164.312 (a)(2)(iv)."""
    patient = canary()
    sent = await send(world, patient=patient)
    staff = world.receiver.staff
    declined = await act(
        world, "declineReferral", staff, sent, reasonCode="AGE", comment="canary-comment"
    )

    kept = await everything_kept(world)

    assert declined["patient"] == patient | {"postalCode": None}
    assert declined["history"][-1]["comment"] == "canary-comment"
    assert sent["id"] in kept
    words = [*patient.values(), "canary-comment"]
    assert [word for word in words if word in kept] == []
    assert [word for word in words if word.encode().hex() in kept] == []


async def test_a_box_opens_in_no_other_place(world: World) -> None:
    one, other = await send(world, patient=canary()), await send(world, patient=canary())
    async with whole(world) as tx:
        await tx.execute(
            "UPDATE patients SET box = $1 WHERE referral_id = $2",
            await box_of(world, one),
            other["id"],
        )
    call = world.service.running.parts.call(world.sender.staff)

    with pytest.raises(RuntimeError, match="does not open"):
        await patients.patients(call, [ReferralId(UUID(other["id"]))])


async def test_another_patient_key_opens_nothing(world: World) -> None:
    sent = await send(world, patient=canary())
    parts = world.service.running.parts
    strange = replace(
        parts.call(world.sender.staff), peers=replace(parts.peers, vault=Vault(b"\0" * 32))
    )

    with pytest.raises(RuntimeError, match="PATIENT_KEY"):
        await patients.patients(strange, [ReferralId(UUID(sent["id"]))])


async def test_a_patient_is_found_by_exact_words_on_both_sides_and_nowhere_else(
    world: World,
) -> None:
    patient = canary()
    sent = await send(world, patient=patient)
    name, born = patient["familyName"], patient["bornOn"]
    ways: list[dict[str, str]] = [
        {"familyName": f" {name.upper()} ", "bornOn": born},
        {"familyName": name, "bornOn": born, "givenName": "CANARINA"},
        {"phone": patient["phone"].replace(" ", "-")},
        {"memberNumber": patient["memberNumber"].lower().replace("-", " ")},
    ]
    wrong: list[dict[str, str]] = [
        {"familyName": name[:-1], "bornOn": born},
        {"familyName": name, "bornOn": "1961-02-04"},
        {"familyName": name, "bornOn": born, "givenName": "Canar"},
        {"memberNumber": patient["memberNumber"][:-1]},
    ]
    colleague = world.receiver.somebody(office_staff_of=frozenset({uuid4()}))

    for viewer in (world.sender.staff, world.receiver.staff):
        assert [await find(world, viewer, **way) for way in ways] == [[sent["id"]]] * 4
        assert [await find(world, viewer, **way) for way in wrong] == [[]] * 4
    assert await find(world, colleague, **ways[0]) == []
    assert await find(world, world.receiver.somebody(client_admin=True), **ways[0]) == []


async def test_a_receiver_that_had_the_referral_finds_its_patient_no_more(world: World) -> None:
    patient, third = canary(), world.practice()
    sent = await send(world, patient=patient)
    await act(world, "forwardReferral", world.receiver.staff, sent, receiver=at(third))

    assert await find(world, world.receiver.staff, phone=patient["phone"]) == []
    assert await find(world, third.staff, phone=patient["phone"]) == [sent["id"]]


async def test_a_draft_that_names_another_patient_is_found_by_the_new_one_only(
    world: World,
) -> None:
    before, after = canary(), canary()
    staff = world.sender.staff
    written = draft(world.sender, None, patient=before)
    data = await world.service.running.data(
        "mutation ($input: CreateDraftInput!) { createDraft(input: $input) { ... on Referral { id version } } }",
        {"input": {"draft": written, "idempotencyKey": str(uuid4())}},
        viewer=staff,
    )
    await act(world, "changeDraft", staff, data["createDraft"], draft=written | {"patient": after})

    assert await find(world, staff, phone=before["phone"]) == []
    assert await find(world, staff, phone=after["phone"]) == [data["createDraft"]["id"]]


async def test_a_search_gives_one_way_and_pages(world: World) -> None:
    patient = canary()
    sent = [(await send(world, patient=patient))["id"] for _ in range(3)]
    running, viewer = world.service.running, world.sender.staff
    for search in ({}, {"familyName": "X"}, {"phone": "5", "memberNumber": "7"}, {"phone": "()"}):
        answer = await running.gql(FIND, {"search": search}, viewer=viewer)
        assert answer["errors"][0]["extensions"]["reason"] == "ONE_OF"
    search = {"search": {"phone": patient["phone"]}, "first": 2}
    first = (await running.data(FIND, search, viewer=viewer))["patientReferrals"]
    rest = (
        await running.data(FIND, search | {"after": first["pageInfo"]["endCursor"]}, viewer=viewer)
    )["patientReferrals"]

    found = [edge["node"]["id"] for page in (first, rest) for edge in page["edges"]]
    assert found == sorted(sent, reverse=True)
    assert (first["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasNextPage"]) == (True, False)


async def test_a_new_key_takes_over_everything_and_the_old_one_is_forgotten(world: World) -> None:
    patient, running, sender = canary(), world.service.running, world.sender
    sent = await send(world, patient=patient)
    declined = await act(
        world, "declineReferral", world.receiver.staff, sent, reasonCode="AGE", comment="said"
    )
    box = await box_of(world, sent)

    renewed = await renew(world, SUPPORT, sender.organization_id)
    between = await find(world, sender.staff, phone=patient["phone"])
    both = await patients.reseal(running.parts.call())
    after = await read(world, sender.staff, declined)

    assert renewed == {"number": 2}
    assert between == [sent["id"]]
    assert both >= 1
    assert after is not None
    assert after["patient"] == declined["patient"]
    assert [step["comment"] for step in after["history"]] == [None, "said"]
    assert await find(world, sender.staff, phone=patient["phone"]) == [sent["id"]]
    assert await box_of(world, sent) != box
    async with whole(world) as tx:
        numbers = await tx.fetch(
            "SELECT number FROM data_keys WHERE organization_id = $1", sender.organization_id
        )
    assert [row["number"] for row in numbers] == [2]


async def test_keys_are_renewed_by_support_only_and_for_organizations_that_have_some(
    world: World,
) -> None:
    await send(world)
    mine = world.sender.organization_id

    denied = await renew(world, world.sender.somebody(client_admin=True), mine)
    unknown = await renew(world, SUPPORT, uuid4())

    assert denied["code"] == "FORBIDDEN"
    assert (unknown["code"], unknown["field"]) == ("NOT_FOUND", "organizationId")
