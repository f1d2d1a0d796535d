"""A provider's own referrals: what a user works on whose record as a provider it is (R02)."""

from __future__ import annotations

from uuid import uuid4

from kit.auth import Viewer
from proto.directory.v1.events_pb2 import ProviderRemoved
from proto.identity.v1.events_pb2 import RoleRevoked
from tests.service.referrals.asking import act, at, do, draft, group_at, queue, read, send
from tests.service.referrals.conftest import Practice, World
from tests.service.referrals.test_explaining import codes, why
from tests.service.referrals.test_receiving import staffed
from tests.service.referrals.test_watching import say, watching


def provider(practice: Practice) -> Viewer:
    """The user who is the practice's provider."""
    return practice.somebody(provider_id=practice.provider_id)


async def test_a_provider_works_what_was_sent_to_them_and_nobody_elses(world: World) -> None:
    """R02, R14."""
    me, sent = provider(world.receiver), await send(world)
    colleague = world.receiver.somebody(provider_id=uuid4())

    noted = await act(world, "acknowledgeReferral", me, sent)
    cancelled = await act(world, "cancelReferral", me, noted, reasonCode="RAISED_IN_ERROR")
    unknown = await act(world, "acknowledgeReferral", colleague, sent)

    assert (noted["status"], noted["patient"]["familyName"]) == ("IN_PROGRESS", "Zeta-Canary")
    assert "SCHEDULE" in noted["allowedActions"]
    assert (cancelled["code"], unknown["code"]) == ("WRONG_SIDE", "NOT_FOUND")
    assert await read(world, colleague, sent) is None


async def test_a_provider_sends_in_the_own_name_and_in_no_other(world: World) -> None:
    """R02, R22."""
    me = provider(world.sender)
    written = draft(world.sender, at(world.receiver))
    others = written | {"sender": at(world.sender) | {"providerId": str(uuid4())}}

    sent = await do(world, "sendReferral", me, draft=written, idempotencyKey=str(uuid4()))
    refused = await do(world, "sendReferral", me, draft=others, idempotencyKey=str(uuid4()))

    assert (sent["status"], sent["sides"]) == ("PENDING", ["SENDING"])
    assert refused["code"] == "FORBIDDEN"


async def test_a_provider_has_a_queue_of_the_own_referrals(world: World) -> None:
    """R02, R14, R21: also of what has ended, and until the provider is removed."""
    me, mine = provider(world.receiver), {"providerId": str(world.receiver.provider_id)}
    pending, ended = await send(world), await send(world)
    await send(world, at(world.receiver) | {"providerId": str(uuid4())})
    await act(world, "cancelReferral", world.sender.staff, ended, reasonCode="RAISED_IN_ERROR")
    mailbox = {"providerId": str(world.sender.provider_id)}

    assert await queue(world, me, "RECEIVED", **mine) == [pending["id"]]
    assert await queue(world, me, "REQUIRES_REVIEW", **mine) == [pending["id"]]
    assert await queue(world, me, "ARCHIVE", **mine) == [ended["id"]]
    assert pending["id"] in await queue(world, provider(world.sender), "SENT", **mailbox)
    refusals = [
        await world.service.running.gql(
            "query ($id: ID!) { workQueue(kind: RECEIVED, providerId: $id) { edges { cursor } } }",
            {"id": mine["providerId"]},
            viewer=viewer,
        )
        for viewer in (world.receiver.staff, provider(world.sender))
    ]
    assert {one["errors"][0]["extensions"]["code"] for one in refusals} == {"FORBIDDEN"}


async def test_what_a_group_has_is_a_providers_once_it_was_claimed_for_them(world: World) -> None:
    """R02, R21."""
    practice, staff = world.receiver, world.receiver.somebody()
    group = await staffed(world, practice, [practice.provider_id], staff.user_id or uuid4())
    sent = await send(world, group_at(practice, group))
    before = await read(world, provider(practice), sent)

    claimed = await act(world, "claimReferral", staff, sent, providerId=str(practice.provider_id))

    assert before is None
    assert "__typename" in claimed
    assert (await read(world, provider(practice), sent) or {})["sight"] == "FULL"


async def test_a_provider_hears_why_a_referral_is_theirs(world: World) -> None:
    """R02, R14."""
    sent = await send(world)

    received = await why(world, provider(world.receiver), sent)

    assert (received["sight"], codes(received)) == ("FULL", ["RECEIVING_PROVIDER"])
    assert codes(await why(world, provider(world.sender), sent)) == ["SENDING_PROVIDER"]
    stranger = world.receiver.somebody(provider_id=uuid4())
    assert codes(await why(world, stranger, sent)) == ["NOT_ON_STAFF"]


async def test_a_removed_provider_works_nothing_any_more(world: World) -> None:
    """R02, R14."""
    practice, sent = world.receiver, await send(world)
    fact = ProviderRemoved(provider_id=str(practice.provider_id))
    await say(world, fact, practice.organization_id, "provider", practice.provider_id)

    me = provider(practice)
    refused = await world.service.running.gql(
        "query ($id: ID!) { workQueue(kind: RECEIVED, providerId: $id) { edges { cursor } } }",
        {"id": str(practice.provider_id)},
        viewer=me,
    )

    assert await read(world, me, sent) is None
    assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_provider_watches_the_own_queue_until_the_role_is_gone(world: World) -> None:
    """R02, R07, R14."""
    practice, me = world.receiver, provider(world.receiver)
    async with watching(world, me, providerId=practice.provider_id) as watch:
        sent = await send(world)
        arrived = await watch.next()
        assert me.user_id is not None
        revoked = RoleRevoked(
            user_id=str(me.user_id), role="PROVIDER", provider_id=str(practice.provider_id)
        )
        await say(world, revoked, practice.organization_id, "user", me.user_id)
        ended = await watch.next()

    assert arrived is not None
    assert (arrived["happened"], arrived["referral"]["id"]) == ("SENT", sent["id"])
    assert ended is None
