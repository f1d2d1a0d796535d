"""Attachments: taken in, sealed, handed out by the policy of the moment, and written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg
import pytest

from kit.auth import Viewer
from kit.errors import RateLimited
from services.referrals.actions import attachments, patients
from services.referrals.domain import AttachmentId
from services.referrals.store import attachments as store
from tests.gateway.edge.client import request
from tests.service.referrals.asking import act, at, read, send
from tests.service.referrals.attaching import (
    BOTH_STORES,
    LARGE,
    Door,
    boxes_of,
    domain_id,
    drafted,
    leftovers,
    look,
    names,
    remove,
    require_nothing_astray,
    why,
    withdraw,
)
from tests.service.referrals.conftest import Referrals, World
from tests.service.referrals.test_clocks import facts_of
from tests.service.referrals.test_sealed import SUPPORT, everything_kept, renew, whole
from tests.support.files import JPEG, PDF
from tests.support.object_store import SmallStore
from tests.support.servers import PostgresServer

pytestmark = BOTH_STORES


@pytest.fixture
def door(http_door: str, referrals: Referrals) -> Door:
    """The service's door for files."""
    return Door(http_door, referrals)


@pytest.fixture(autouse=True)
async def nothing_astray(
    referrals: Referrals, object_store: SmallStore | None
) -> AsyncIterator[None]:
    """After each test."""
    yield
    await require_nothing_astray(referrals, object_store)


async def test_what_the_sender_attached_is_read_by_both_sides_byte_for_byte(
    world: World, door: Door
) -> None:
    sent, sender, receiver = await send(world), world.sender.staff, world.receiver.staff
    id_ = await door.attached(sender, sent, contents=LARGE)
    mine, theirs = await look(world, sender, sent), await look(world, receiver, sent)
    got = [await door.get(one, id_) for one in (sender, receiver)]

    assert mine
    assert theirs
    (file,) = mine["attachments"]
    assert (file["name"], file["size"], file["side"]) == ("canary-name.pdf", len(LARGE), "SENDING")
    assert file["by"] == {"id": str(sender.user_id)}
    assert theirs["attachments"] == [file | {"by": None}]
    assert [one.body for one in got] == [LARGE, LARGE]
    assert got[0].headers["content-type"] == "application/pdf"
    assert (
        got[0].headers["content-disposition"].startswith('attachment; filename="canary-name.pdf"')
    )
    assert got[0].headers["cache-control"] == "no-store"
    assert got[0].headers["x-content-type-options"] == "nosniff"


async def test_nothing_of_a_file_is_open_at_rest_or_in_a_fact(
    world: World, door: Door, object_store: SmallStore | None
) -> None:
    sent = await send(world)
    secret = PDF + b"canary-contents %%EOF"
    id_ = await door.attached(world.receiver.staff, sent, contents=secret)
    kept = await everything_kept(world)
    boxes = await boxes_of(world, object_store, id_)
    told = await facts_of(world, sent, "attachment_added")

    assert "canary-name" not in kept
    assert "canary-contents" not in kept
    assert boxes
    assert all(b"canary" not in box and b"PDF" not in box for box in boxes)
    assert [(one["attachmentId"], one["fromSide"]) for one in told] == [(id_, "RECEIVING")] * 2
    assert "canary" not in str(told)


async def test_a_draft_tells_nobody_what_is_attached_to_it_and_its_files_go_with_it(
    world: World, door: Door
) -> None:
    made, sender = await drafted(world), world.sender.staff
    id_ = await door.attached(sender, made)
    unsent = await facts_of(world, made, "attachment_added")
    hidden = await door.get(world.receiver.staff, id_)
    await act(world, "sendReferral", sender, made, idempotencyKey=str(uuid4()))

    assert unsent == []
    assert hidden.status == 404
    assert (await door.get(world.receiver.staff, id_)).body == PDF


async def test_a_file_is_taken_back_before_the_referral_is_sent_and_not_after(
    world: World, door: Door
) -> None:
    made, sender = await drafted(world), world.sender.staff
    ids = [await door.attached(sender, made, name=f"{n}.pdf") for n in range(2)]
    seen = await look(world, sender, made)
    left = await withdraw(world, sender, made, ids[0])
    gone = await withdraw(world, sender, made, ids[0])
    sent = await act(world, "sendReferral", sender, made, idempotencyKey=str(uuid4()))
    late = await withdraw(world, sender, sent, ids[1])
    theirs = await withdraw(world, world.receiver.staff, sent, ids[1])
    foreign = await withdraw(world, world.practice().staff, sent, ids[1])

    assert seen
    assert [one["allowedActions"] for one in seen["attachments"]] == [["WITHDRAW"]] * 2
    assert [one["name"] for one in left["attachments"]] == ["1.pdf"]
    assert (gone["code"], late["code"], theirs["code"]) == (
        "UNKNOWN_ATTACHMENT",
        "ALREADY_SENT",
        "WRONG_SIDE",
    )
    assert foreign["code"] == "NOT_FOUND"
    after = await look(world, sender, sent)
    assert after
    assert after["attachments"][0]["allowedActions"] == []
    assert (await door.get(sender, ids[0])).status == 404
    assert await leftovers(world, made) == 0


async def test_whoever_does_not_see_the_referral_meets_what_never_was(
    world: World, door: Door
) -> None:
    """R02, R14: another organization's file, an unknown one, and one of an office where one does not work."""
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent)
    colleague = world.sender.somebody(office_staff_of=frozenset({uuid4()}))
    admin = world.sender.somebody(client_admin=True)
    insurance = world.sender.somebody(insurance_manager=True)
    foreign = world.practice().staff
    never = await door.get(foreign, str(uuid4()))

    assert never.status == 404
    for stranger in (foreign, colleague, admin, insurance):
        got = await door.get(stranger, id_)
        assert (got.status, got.body) == (never.status, never.body)
        refused = await door.attach(stranger, sent)
        assert (refused.status, why(refused)) == (404, "NOT_FOUND")
    assert (await door.get(foreign, "1; DROP TABLE")).status == 400


async def test_nobody_gets_in_without_the_gateway(world: World, door: Door) -> None:
    """I9: nothing, another audience, a service, and a session that can only set a password."""
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent)
    url = f"{door.base}/files/attachments/{id_}"
    staff = world.sender.staff
    wrong = [{}, {"x-viewer": "me"}, door.signed(staff, audience="identity")]
    statuses = [(await request("GET", url, one)).status for one in wrong]

    assert statuses == [401, 401, 401]
    assert (await door.get(Viewer(), id_)).status == 401


async def test_a_receiver_has_the_senders_files_and_its_own_and_keeps_none_of_them(
    world: World, door: Door
) -> None:
    """R14: what another receiver attached stays between that one and the sender; with the referral, the files are gone."""
    sent, third = await send(world), world.practice()
    sender, first = world.sender.staff, world.receiver.staff
    from_sender = await door.attached(sender, sent, name="sender.pdf")
    from_first = await door.attached(first, sent, name="first.pdf")
    await act(world, "forwardReferral", first, sent, receiver=at(third))
    await door.attached(third.staff, sent, name="second.pdf")

    assert await names(world, third.staff, sent) == ["sender.pdf", "second.pdf"]
    assert await names(world, sender, sent) == ["sender.pdf", "first.pdf", "second.pdf"]
    assert await names(world, first, sent) == []
    statuses = {
        (who, id_): (await door.get(viewer, id_)).status
        for who, viewer in (("first", first), ("third", third.staff), ("sender", sender))
        for id_ in (from_sender, from_first)
    }
    assert statuses == {
        ("first", from_sender): 404,
        ("first", from_first): 404,
        ("third", from_sender): 200,
        ("third", from_first): 404,
        ("sender", from_sender): 200,
        ("sender", from_first): 200,
    }
    late = await door.attach(first, sent)
    assert (late.status, why(late)) == (403, "WRONG_SIDE")


async def test_after_a_removal_the_files_are_gone_and_the_other_side_keeps_them(
    world: World, door: Door
) -> None:
    """R14."""
    sent = await send(world)
    id_ = await door.attached(world.receiver.staff, sent)
    never = await door.get(world.receiver.staff, str(uuid4()))
    await remove(world, world.receiver.organization_id, world.receiver.provider_id)
    lost, kept = await door.get(world.receiver.staff, id_), await door.get(world.sender.staff, id_)

    assert (lost.status, lost.body) == (404, never.body)
    assert kept.body == PDF
    assert await read(world, world.receiver.staff, sent) is None


async def test_a_download_under_way_ends_with_the_access_to_it(world: World, door: Door) -> None:
    """R14: each piece is handed out by the policy of that moment."""
    sent, staff = await send(world), world.receiver.staff
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    call = world.service.running.parts.call(staff)
    found = await attachments.read(call, domain_id(id_))
    first = await anext(found.body)
    await remove(world, world.receiver.organization_id, world.receiver.provider_id)

    assert LARGE.startswith(first)
    with pytest.raises(Exception, match="no such attachment"):
        await anext(found.body)


async def test_a_read_is_in_the_audit_trail_before_the_first_byte_and_a_refusal_is_not(
    world: World, door: Door
) -> None:
    """A1: who, of which referral, which file, what for."""
    sent, staff = await send(world), world.receiver.staff
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    found = await attachments.read(world.service.running.parts.call(staff), domain_id(id_))
    sql = world.service.running.sql
    where = (
        "SELECT * FROM audit_entries WHERE about = $1 AND user_id = $2 AND act = 'referral.seen'"
    )
    before = await sql.fetch(where, UUID(sent["id"]), staff.user_id)
    await found.body.aclose()
    await door.get(world.practice().staff, id_)
    after = await sql.fetch(where, UUID(sent["id"]), staff.user_id)

    (entry,) = before
    assert entry["user_id"] == staff.user_id
    assert (entry["fields"], entry["purpose"]) == ([f"attachment {id_}"], "TREATMENT")
    assert len(after) == 1
    wrote = await sql.fetch(
        "SELECT * FROM audit_entries WHERE about = $1 AND act = 'referral.attached'",
        UUID(sent["id"]),
    )
    assert [one["user_id"] for one in wrote] == [world.sender.staff.user_id]
    assert "canary" not in str([dict(one) for one in wrote])


async def test_a_read_that_cannot_be_written_down_is_refused(
    world: World, door: Door, postgres: PostgresServer
) -> None:
    """A1."""
    sent = await send(world)
    id_ = await door.attached(world.sender.staff, sent)
    url = urlsplit(world.service.running.parts.settings.database_url)
    superuser = await asyncpg.connect(postgres.server.url(url.path.removeprefix("/")))
    await superuser.execute(
        "ALTER TABLE audit_entries ADD CONSTRAINT stuffed CHECK (false) NOT VALID"
    )
    try:
        refused = await door.get(world.receiver.staff, id_)
    finally:
        await superuser.execute("ALTER TABLE audit_entries DROP CONSTRAINT stuffed")
        await superuser.close()

    assert (refused.status, refused.code) == (500, "INTERNAL")
    assert PDF not in refused.body


async def test_a_retry_attaches_nothing_twice(world: World, door: Door) -> None:
    """Cross-cutting 3."""
    sent, staff = await send(world), world.sender.staff
    first, again = [await door.attached(staff, sent, key="same") for _ in range(2)]
    other = await door.attach(staff, sent, contents=PDF + b"%%EOF", key="same")

    assert first == again
    assert (other.status, why(other)) == (409, "IDEMPOTENCY_KEY_REUSED")
    assert len(await names(world, staff, sent)) == 1
    assert await leftovers(world, sent) == 0


async def test_a_file_that_was_kept_is_not_given_up_by_who_never_heard_of_it(
    world: World, door: Door
) -> None:
    """Cross-cutting 3: its sender was cut off between the commit and the answer, and asks again with the same key."""
    sent, staff = await send(world), world.sender.staff
    first = await door.attached(staff, sent, key="same")
    async with whole(world) as tx:
        await store.give_up(tx, AttachmentId(UUID(first)))

    again = await door.attached(staff, sent, key="same")

    assert again == first
    assert (await door.get(staff, first)).status == 200


async def test_a_referral_has_so_many_files_however_many_come_at_once(
    world: World, door: Door
) -> None:
    sent, sender = await send(world), world.sender
    for number in range(18):
        await door.attached(sender.staff, sent, name=f"{number}.pdf")
    many = [sender.somebody(office_staff_of=frozenset({sender.office_id})) for _ in range(6)]
    replies = await asyncio.gather(*(door.attach(one, sent) for one in many))

    assert sorted(one.status for one in replies) == [201, 201, 409, 409, 409, 409]
    assert {why(one) for one in replies if one.status == 409} == {"TOO_MANY_ATTACHMENTS"}
    assert await leftovers(world, sent) == 0


async def test_four_files_of_one_user_are_on_their_way_however_many_begin_at_once(
    world: World,
) -> None:
    sent = domain_id((await send(world))["id"])
    call = world.service.running.parts.call(world.sender.staff)
    upload = attachments.Upload(sent, "a.pdf", attachments.MediaType.PDF, len(PDF), None, "k")
    begun = await asyncio.gather(
        *(attachments._begin(call, upload) for _ in range(8)),  # noqa: SLF001 - what comes then takes its time
        return_exceptions=True,
    )
    refused = [one.code for one in begun if isinstance(one, RateLimited)]
    assert refused == ["TOO_MANY_FILES"] * 4
    assert await leftovers(world, {"id": str(sent)}) == 4


@pytest.mark.parametrize(
    ("verb", "sender", "receiver"),
    [("", 201, 201), ("declineReferral", 201, 409), ("cancelReferral", 409, 409)],
)
async def test_files_are_attached_while_it_is_ones_turn(
    world: World, door: Door, verb: str, sender: int, receiver: int
) -> None:
    sent = await send(world)
    if verb == "declineReferral":
        await act(world, verb, world.receiver.staff, sent, reasonCode="NO_CAPACITY")
    if verb == "cancelReferral":
        await act(world, verb, world.sender.staff, sent, reasonCode="RAISED_IN_ERROR")
    replies = [await door.attach(one.staff, sent) for one in (world.sender, world.receiver)]
    seen = [await look(world, one.staff, sent) for one in (world.sender, world.receiver)]

    assert [one.status for one in replies] == [sender, receiver]
    assert [bool(one and one["mayAttachAs"]) for one in seen] == [sender == 201, receiver == 201]


async def test_who_works_on_both_sides_says_for_which(world: World, door: Door) -> None:
    inside = world.sender.somebody(
        office_staff_of=frozenset({world.sender.office_id, (office := world.office(world.sender))})
    )
    sent = await send(world, {"officeId": str(office), "providerId": str(uuid4())})
    unclear = await door.attach(inside, sent)
    wrong = await door.attach(inside, sent, side="BOTH")
    clear = await door.attach(inside, sent, side="RECEIVING")

    assert (why(unclear), wrong.status, clear.status) == ("SIDE_REQUIRED", 400, 201)


async def test_who_only_looks_attaches_nothing(world: World, door: Door) -> None:
    """R02."""
    looks = world.sender.somebody(
        office_staff_of=frozenset({world.sender.office_id}), reporting_only=True
    )
    refused = await door.attach(looks, await send(world))
    assert (refused.status, why(refused)) == (403, "REPORTING_ONLY")


async def test_a_new_key_takes_over_files_too_and_the_old_one_is_forgotten(
    world: World, door: Door
) -> None:
    sent, sql = await send(world), world.service.running.sql
    id_ = await door.attached(world.sender.staff, sent, contents=LARGE)
    picture = await door.attached(world.receiver.staff, sent, contents=JPEG, type="image/jpeg")
    organization = world.sender.organization_id
    await renew(world, SUPPORT, organization)
    await patients.reseal(world.service.running.parts.call())
    keys = await sql.fetch("SELECT number FROM data_keys WHERE organization_id = $1", organization)
    used = await sql.fetch(
        "SELECT DISTINCT key_number FROM attachment_pieces WHERE organization_id = $1", organization
    )

    assert [row["number"] for row in keys] == [row["key_number"] for row in used] == [2]
    assert (await door.get(world.receiver.staff, id_)).body == LARGE
    assert (await door.get(world.sender.staff, picture)).body == JPEG
