"""What the audit trail holds of referrals: every change once, and every read of a patient's data before its answer leaves (A1, A8)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
from graphql import GraphQLObjectType, get_named_type

from kit.auth import Viewer
from kit.logs import request_id
from services.referrals.schema import SCHEMA
from tests.service.referrals.asking import act, at, do, draft, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_watching import watching
from tests.support.servers import PostgresServer

PHI = {"patient", "outcomeReport", "history", "messages", "attachments", "suggestedReceivers"}
"""Fields of a referral that hold patients' data: each resolver of theirs tells the audit trail."""

NO_PHI = {
    "id", "version", "status", "sight", "sides", "allowedActions", "specialtyCode", "urgency", "authorization", "hop",
    "createdAt", "sentAt", "changedAt", "callbackAt", "appointmentAt", "reasonCode", "outcome", "loopClosedAt",
    "sendingOrganization", "sendingOffice", "sendingProvider", "sendingGroup", "receivingOrganization", "receivingOffice",
    "receivingProvider", "receivingGroup", "plan", "planAcceptance", "claimedBy", "dueAt", "overdue", "appointments", "hops",
    "archived", "unreadMessages", "mayAttachAs", "outsidePlanReason", "externallyManaged", "secondPlan", "warnings",
}  # fmt: skip
PAGE = """
query ($office: ID!) {
  workQueue(kind: SENT, officeId: $office, first: 100) {
    edges { node { id patient { familyName } history { comment } outcomeReport { text } } }
  }
}
"""
ENTITIES = """
query ($of: [_Any!]!) {
  _entities(representations: $of) { ... on Referral { id patient { familyName } } }
}
"""
FOUND = """
query ($search: PatientSearchInput!) { patientReferrals(search: $search) { edges { node { id } } } }
"""


@asynccontextmanager
async def one_request() -> AsyncIterator[str]:
    """Whatever is asked inside has this request id."""
    token = request_id.set(uuid4().hex)
    yield request_id.get()
    request_id.reset(token)


async def entries(world: World, request: str, act: str = "referral.seen") -> list[Any]:
    """The entries of a request."""
    return await world.service.running.sql.fetch(
        "SELECT * FROM audit_entries WHERE request = $1 AND act = $2 ORDER BY about", request, act
    )


async def seen(world: World, request: str) -> dict[str, set[str]]:
    """Which fields of which referrals a request has read, as the trail has it; none of them twice."""
    rows = await entries(world, request)
    told = {str(row["about"]): set(row["fields"]) for row in rows}
    assert len(told) == len(rows)
    return told


async def asked(world: World, viewer: Viewer, query: str, **variables: object) -> tuple[Any, str]:
    """The data of one request, and its id."""
    async with one_request() as request:
        return await world.service.running.data(query, variables, viewer=viewer), request


# Every change ---------------------------------------------------------------------------------------------------------


async def test_each_change_of_a_referral_has_one_entry_with_who_did_it_and_what_it_changed(
    world: World,
) -> None:
    """A8: though two organizations are told of it, and no comment with it."""
    async with one_request() as request:
        sent = await send(world)
    (entry,) = await entries(world, request, "referral.sent")
    assert str(entry["about"]) == sent["id"]
    assert entry["user_id"] == world.sender.staff.user_id
    assert entry["organization_id"] == world.sender.organization_id

    async with one_request() as request:
        reason = {"reasonCode": "NO_CAPACITY", "comment": "canary-comment"}
        declined = await act(world, "declineReferral", world.receiver.staff, sent, **reason)
    assert declined["status"] == "DECLINED", declined
    (entry,) = await entries(world, request, "referral.declined")
    assert entry["organization_id"] == world.receiver.organization_id
    assert {"status", "reason_code", "version"} <= set(entry["fields"])
    assert "canary" not in str(entry)


async def test_a_draft_that_nobody_else_knows_of_is_in_the_trail_too(world: World) -> None:
    """A8: it tells no fact, and is a change all the same."""
    async with one_request() as request:
        made = await do(
            world,
            "createDraft",
            world.sender.staff,
            idempotencyKey=str(uuid4()),
            draft=draft(world.sender, at(world.receiver)),
        )
    (entry,) = await entries(world, request, "referral.drafted")
    assert str(entry["about"]) == made["id"]


async def test_what_was_refused_is_no_change(world: World) -> None:
    """A8: no entry too many."""
    sent = await send(world)
    async with one_request() as request:
        refused = await act(
            world, "declineReferral", world.sender.staff, sent, reasonCode="NO_CAPACITY"
        )
    assert refused["code"] == "WRONG_SIDE"
    assert await entries(world, request, "referral.declined") == []


# Every read -----------------------------------------------------------------------------------------------------------


def test_every_field_of_a_referral_is_known_to_hold_patients_data_or_not() -> None:
    """A1: a new field is put into one of the two lists before it can be answered."""
    kind = SCHEMA._schema.type_map["Referral"]  # noqa: SLF001 - strawberry's Schema wraps graphql's
    assert isinstance(kind, GraphQLObjectType)
    assert set(kind.fields) == PHI | NO_PHI
    holding = {
        "Patient",
        "OutcomeReport",
        "ReferralStep",
        "ReferralMessageConnection",
        "ReferralAttachment",
        "ReferralSuggestions",
    }
    assert {
        name for name, one in kind.fields.items() if get_named_type(one.type).name in holding
    } == PHI


async def test_who_reads_a_patient_is_written_down_with_the_purpose(world: World) -> None:
    """A1: who, what, of which referral, what for, and in which request."""
    sent = await send(world)
    async with one_request() as request:
        assert await read(world, world.receiver.staff, sent)
    (entry,) = await entries(world, request)
    staff = world.receiver.staff
    assert (entry["user_id"], entry["session_id"]) == (staff.user_id, staff.session_id)
    assert entry["organization_id"] == staff.organization_id
    assert (str(entry["about"]), entry["purpose"]) == (sent["id"], "TREATMENT")
    assert entry["fields"] == ["patient"]


async def test_a_page_of_a_queue_has_an_entry_for_each_referral_that_shows_its_patient(
    world: World,
) -> None:
    """A1: the counts are equal, in one statement."""
    sent = [(await send(world))["id"] for _ in range(5)]
    data, request = await asked(world, world.sender.staff, PAGE, office=str(world.sender.office_id))
    shown = [edge["node"]["id"] for edge in data["workQueue"]["edges"]]
    assert sorted(shown) == sorted(sent)
    assert await seen(world, request) == {one: {"patient"} for one in sent}


async def test_a_queue_without_its_patients_is_no_read_of_them(world: World) -> None:
    """A1: no entry too many, so that those there are can be gone through."""
    await send(world)
    query = PAGE.replace("patient { familyName } history { comment } outcomeReport { text }", "")
    _, request = await asked(world, world.sender.staff, query, office=str(world.sender.office_id))
    assert await seen(world, request) == {}


async def test_comments_and_outcome_reports_are_patients_data_too(world: World) -> None:
    """A1: whatever field it is in."""
    sent = await send(world)
    declined = await act(
        world,
        "declineReferral",
        world.receiver.staff,
        sent,
        reasonCode="NO_CAPACITY",
        comment="canary",
    )
    async with one_request() as request:
        await read(world, world.sender.staff, declined)
    assert await seen(world, request) == {sent["id"]: {"patient", "history"}}


async def test_messages_are_patients_data_too(world: World) -> None:
    """A1: who writes reads what was written, and so does the other side."""
    sent = await send(world)
    query = "mutation ($input: SendMessageInput!) { sendMessage(input: $input) { __typename } }"
    given = {"referralId": sent["id"], "text": "canary", "idempotencyKey": str(uuid4())}
    _, request = await asked(world, world.sender.staff, query, input=given)
    (entry,) = await entries(world, request, "referral.message")
    assert "canary" not in str(entry)

    query = "query ($id: ID!) { referral(id: $id) { messages { edges { node { text } } } } }"
    _, request = await asked(world, world.receiver.staff, query, id=sent["id"])
    assert await seen(world, request) == {sent["id"]: {"messages"}}


async def test_an_entity_a_search_and_a_mutation_s_own_answer_are_reads(world: World) -> None:
    """A1: every way to a patient."""
    sent = await send(world)
    of = [{"__typename": "Referral", "id": sent["id"]}]
    _, request = await asked(world, world.receiver.staff, ENTITIES, of=of)
    assert await seen(world, request) == {sent["id"]: {"patient"}}

    search = {"familyName": "Zeta-Canary", "bornOn": "1961-02-03"}
    found, request = await asked(world, world.sender.staff, FOUND, search=search)
    ids = [edge["node"]["id"] for edge in found["patientReferrals"]["edges"]]
    assert sent["id"] in ids
    assert await seen(world, request) == {one: {"patientReferrals"} for one in ids}

    async with one_request() as request:
        claimed = await act(world, "acknowledgeReferral", world.receiver.staff, sent)
    assert claimed["patient"], claimed
    assert await seen(world, request) == {sent["id"]: {"patient"}}


async def test_each_change_that_is_watched_is_a_read(world: World) -> None:
    """A1: a live query shows patients as well."""
    async with (
        one_request() as request,
        watching(world, world.receiver.staff, officeId=str(world.receiver.office_id)) as watch,
    ):
        token = request_id.set("another")
        sent = await send(world)
        request_id.reset(token)
        told = await watch.next()
        assert told is not None
        assert told["referral"]["patient"]
    assert await seen(world, request) == {sent["id"]: {"patient"}}


async def test_who_is_shown_nothing_has_seen_nothing(world: World) -> None:
    """A1: a stranger's question leaves no entry about the referral."""
    sent = await send(world)
    async with one_request() as request:
        assert await read(world, world.practice().staff, sent) is None
    assert await seen(world, request) == {}


async def test_what_cannot_be_written_down_is_not_shown(
    world: World, postgres: PostgresServer
) -> None:
    """A1: the read is refused, whatever else was asked with it."""
    sent = await send(world)
    url = urlsplit(world.service.running.parts.settings.database_url)
    superuser = await asyncpg.connect(postgres.server.url(url.path.removeprefix("/")))
    await superuser.execute(
        "ALTER TABLE audit_entries ADD CONSTRAINT stuffed CHECK (false) NOT VALID"
    )
    try:
        query = "query ($id: ID!) { referral(id: $id) { id patient { familyName } } }"
        answer = await world.service.running.gql(
            query, {"id": sent["id"]}, viewer=world.receiver.staff
        )
    finally:
        await superuser.execute("ALTER TABLE audit_entries DROP CONSTRAINT stuffed")
        await superuser.close()
    assert "data" not in answer
    assert "Zeta" not in str(answer)


async def test_many_readers_at_once_are_all_written_down(world: World) -> None:
    """A8: none missing, none twice."""
    sent = await send(world)

    async def look(_: int) -> str:
        async with one_request() as request:
            assert await read(world, world.receiver.staff, sent)
        return request

    requests = await asyncio.gather(*(look(one) for one in range(50)))
    for request in requests:
        assert await seen(world, request) == {sent["id"]: {"patient"}}
