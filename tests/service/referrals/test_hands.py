"""What is in one user's hands, as identity asks before it deactivates the user."""

from __future__ import annotations

from uuid import UUID

import pytest

from kit.errors import Denied
from kit.rpc import Peer
from proto.referrals.v1.referrals_pb2 import UserWorkReply, UserWorkRequest
from proto.referrals.v1.referrals_pb2_grpc import ReferralsStub
from tests.service.referrals.asking import act, group_at, send
from tests.service.referrals.conftest import World
from tests.service.referrals.test_receiving import staffed


async def _ask(
    world: World, organization_id: UUID, user_id: UUID, office: UUID, me: str = "identity"
) -> UserWorkReply:
    parts = world.service.running.parts
    address = f"127.0.0.1:{parts.grpc_port}"
    peer = Peer("referrals", address, me=me, key=parts.settings.viewer_key, clock=parts.clock)
    request = UserWorkRequest(
        organization_id=str(organization_id), user_id=str(user_id), office_ids=[str(office)]
    )
    try:
        return await peer.ask(ReferralsStub(peer.channel).UserWork, request)
    finally:
        await peer.close()


async def test_identity_is_told_what_a_user_has_claimed_and_what_waits_at_an_office(
    world: World,
) -> None:
    """R07: claimed and open work is in the preview of a deactivation."""
    practice, clerk = world.receiver, world.receiver.staff
    here, office, user_id = practice.organization_id, practice.office_id, clerk.user_id
    assert user_id is not None
    group = await staffed(world, practice, [practice.provider_id], user_id)
    claimed = await send(world, group_at(practice, group))
    await send(world, group_at(practice, group))
    done = await act(world, "claimReferral", clerk, claimed, providerId=str(practice.provider_id))
    assert "code" not in done, done

    told = await _ask(world, here, user_id, office)
    foreign = await _ask(world, world.sender.organization_id, user_id, office)

    assert (told.claimed, list(told.referral_ids)) == (1, [claimed["id"]])
    assert told.offices[0].open >= 2
    assert (foreign.claimed, [one.open for one in foreign.offices]) == (0, [0])


async def test_nobody_but_identity_is_told_what_is_in_a_user_s_hands(world: World) -> None:
    """R07."""
    here = world.receiver.organization_id
    with pytest.raises(Denied):
        await _ask(world, here, world.receiver.office_id, world.receiver.office_id, "directory")
