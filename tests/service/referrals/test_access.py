"""Access that is lost, and access that never was: removal of a provider (R14), and other organizations (R02)."""

from __future__ import annotations

from uuid import uuid4

from kit.auth import ANONYMOUS, service_viewer
from proto.directory.v1.events_pb2 import ProviderRemoved
from tests.service.referrals.asking import QUEUE, Answer, act, at, do, queue, read, send
from tests.service.referrals.conftest import World
from tests.service.referrals.fencing import directory_of

ENTITY = """
query ($them: [_Any!]!) { _entities(representations: $them) {
  ... on Referral { id status patient { familyName } }
} }
"""


async def entity(world: World, referral: Answer, *, of_receiver: bool = True) -> Answer | None:
    """The referral as the gateway would fetch it by its key."""
    viewer = world.receiver.staff if of_receiver else world.sender.staff
    them = [{"__typename": "Referral", "id": referral["id"]}]
    data = await world.service.running.data(ENTITY, {"them": them}, viewer=viewer)
    found: Answer | None = data["_entities"][0]
    return found


async def test_the_gateway_alone_fetches_no_referral_by_its_key(world: World) -> None:
    """Security Z1: an entity asked for by nobody in particular is not there."""
    sent = await send(world)
    for viewer in (ANONYMOUS, service_viewer("directory"), world.practice().staff):
        them = [{"__typename": "Referral", "id": sent["id"]}]
        data = await world.service.running.data(ENTITY, {"them": them}, viewer=viewer)
        assert data["_entities"] == [None]


async def test_after_a_removal_is_answered_the_organization_reads_none_of_the_providers_referrals(
    world: World,
) -> None:
    """R14, security Z6: by id, by entity, in lists, in counts, and through every verb."""
    practice, sent = world.receiver, await send(world)
    where = {"officeId": str(practice.office_id)}
    assert await entity(world, sent) is not None

    async with directory_of(world) as directory:
        await directory.end_access(practice.organization_id, practice.provider_id)

    assert await read(world, practice.staff, sent) is None
    assert await entity(world, sent) is None
    assert await queue(world, practice.staff, "RECEIVED", **where) == []
    data = await world.service.running.data(
        QUEUE, {"kind": "RECEIVED"} | where, viewer=practice.staff
    )
    assert set(data["workQueue"]["counts"].values()) == {0}
    refused = await act(world, "declineReferral", practice.staff, sent, reasonCode="AGE")
    unknown = await act(
        world, "declineReferral", practice.staff, sent | {"id": str(uuid4())}, reasonCode="AGE"
    )
    archived = await do(world, "archiveReferral", practice.staff, referralId=sent["id"])
    assert (refused["code"], refused["message"]) == (unknown["code"], unknown["message"])
    assert (refused["code"], archived["code"]) == ("NOT_FOUND", "NOT_FOUND")


async def test_the_counterpart_keeps_the_referral_after_a_removal(world: World) -> None:
    """R14."""
    sent = await send(world)

    async with directory_of(world) as directory:
        await directory.end_access(world.receiver.organization_id, world.receiver.provider_id)

    kept = await read(world, world.sender.staff, sent)
    assert kept is not None
    assert kept["patient"]["familyName"] == "Zeta-Canary"
    assert await entity(world, sent, of_receiver=False) is not None


async def test_the_fact_of_a_removal_ends_access_too_and_may_be_heard_twice(world: World) -> None:
    """R14: should directory's call have been lost."""
    practice, sent = world.receiver, await send(world)
    now = world.service.running.parts.clock.now()

    event = await world.service.neighbours.say(
        ProviderRemoved(provider_id=str(practice.provider_id)),
        practice.organization_id,
        "provider",
        practice.provider_id,
        now,
    )
    again = await world.service.neighbours.repeat(event)

    assert not again
    assert await read(world, practice.staff, sent) is None


async def test_another_organizations_referral_answers_like_one_that_never_was(
    world: World,
) -> None:
    """R02, security Z4: every verb, with another organization's id and with an unknown one."""
    sent, stranger = await send(world), world.practice().staff
    verbs: dict[str, dict[str, object]] = {
        "acknowledgeReferral": {},
        "claimReferral": {},
        "scheduleReferral": {"at": "2999-01-01T00:00:00Z"},
        "rescheduleReferral": {"at": "2999-01-01T00:00:00Z"},
        "cancelAppointment": {},
        "completeReferral": {},
        "reportNoShow": {"reasonCode": "ILL"},
        "declineReferral": {"reasonCode": "AGE"},
        "cancelReferral": {"reasonCode": "RAISED_IN_ERROR"},
        "reassignReferral": {"receiver": at(world.receiver)},
        "forwardReferral": {"receiver": at(world.receiver)},
        "resendReferral": {},
        "sendReferral": {"idempotencyKey": "a key"},
    }
    for verb, given in verbs.items():
        theirs = await act(world, verb, stranger, sent, **given)
        unknown = await act(world, verb, stranger, sent | {"id": str(uuid4())}, **given)
        assert theirs["code"] == "NOT_FOUND", verb
        assert theirs == unknown, verb
    assert await read(world, stranger, sent) is None


async def test_client_admins_and_other_roles_read_no_referral_of_their_own_organization(
    world: World,
) -> None:
    """R02, R26."""
    sent = await send(world)
    for grant in ("client_admin", "insurance_manager", "call_centre"):
        viewer = world.receiver.somebody(**{grant: True})
        assert await read(world, viewer, sent) is None


async def test_an_outsider_cannot_learn_that_a_draft_exists(world: World) -> None:
    """R02."""
    refused = await act(
        world,
        "changeDraft",
        world.receiver.staff,
        {"id": str(uuid4()), "version": 1},
        draft={
            "sender": at(world.receiver),
            "specialtyCode": "207RC0000X",
            "patient": {"givenName": "A", "familyName": "B", "bornOn": "1990-01-01"},
        },
    )

    assert refused["code"] == "NOT_FOUND"
