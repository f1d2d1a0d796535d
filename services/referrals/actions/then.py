"""Who could see a referral at a moment, by the policy of today over the state of then, and who did, by the audit trail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from kit.audit import history
from kit.audit.history import Reader
from kit.auth import Kind, Viewer
from proto.identity.v1.identity_pb2 import RolesAtRequest, UserAt
from proto.identity.v1.identity_pb2_grpc import IdentityStub
from services.referrals import policy
from services.referrals.actions.peers import Call
from services.referrals.domain import (
    EndThen,
    Explained,
    GroupId,
    OrganizationId,
    Party,
    Referral,
    ReferralId,
    Then,
    as_it_was,
    past_moment,
)
from services.referrals.policy import Access, Sight
from services.referrals.store import referrals
from services.referrals.store import then as store

_ELSEWHERE = OrganizationId(UUID(int=0))


@dataclass(frozen=True, slots=True)
class CouldSee:
    """Somebody of the organization who could see the referral, how much of it, and why."""

    user_id: UUID
    sight: Sight
    reasons: tuple[Explained, ...]


@dataclass(frozen=True, slots=True)
class AccessThen:
    """The answer, for one organization's people. `could` is None where it is not known any more: before `known_since`."""

    on: datetime
    known_since: datetime
    could: tuple[CouldSee, ...] | None
    did: tuple[Reader, ...]


@dataclass(frozen=True, slots=True)
class _State:
    """What the tables of referrals knew then."""

    referral: Referral
    ends: list[EndThen]
    began: datetime
    staff: dict[UUID, set[GroupId]]
    access: Access
    did: tuple[Reader, ...]

    @property
    def known_since(self) -> datetime:
        """The histories are whole for referrals that were made after they began."""
        return max(self.began, self.referral.created_at)


async def access_then(call: Call, referral_id: ReferralId, on: datetime) -> AccessThen | None:
    """Who of the viewer's organization could see a referral at a moment, and who had until then. None for what the organization
    never had a part in. A provider's removal since takes nothing of it away (R14). Unavailable without identity."""
    organization_id = policy.permit_access_then(call.viewer)
    on = past_moment(on, call.clock.now())
    state = await _state(call, organization_id, referral_id, on)
    if state is None:
        return None
    older = state.referral.created_at < state.began
    if older and on < state.began:
        return AccessThen(on, state.began, None, state.did)
    then = as_it_was(state.referral, state.ends, _ELSEWHERE, on)
    own = [end for end in then.parties if end.organization_id == organization_id]
    people = await _people(call, organization_id, own, state.staff, on) if own else []
    could = (_judged(state, then, organization_id, one, on) for one in people)
    since = state.began if older else state.referral.created_at
    return AccessThen(on, since, tuple(one for one in could if one is not None), state.did)


async def _state(
    call: Call, organization_id: OrganizationId, referral_id: ReferralId, on: datetime
) -> _State | None:
    async with call.db.reading() as tx:
        ends = await store.ends_of(tx, organization_id, referral_id)
        referral = (await referrals.find(tx, [referral_id])).get(referral_id)
        if not ends or referral is None:
            return None
        groups = {end.group_id for end in ends if end.group_id is not None}
        return _State(
            referral,
            ends,
            await store.began(tx),
            await store.staff_at(tx, organization_id, sorted(groups), on),
            Access(removed=await store.removed_at(tx, organization_id, on)),
            tuple(
                await history.readers(tx, organization_id, "referral.seen", referral_id, until=on)
            ),
        )


async def _people(
    call: Call,
    organization_id: OrganizationId,
    ends: Iterable[Party],
    staff: dict[UUID, set[GroupId]],
    on: datetime,
) -> list[UserAt]:
    """Whoever was active then and had anything to do with one of the ends, with the roles of then."""
    question = RolesAtRequest(
        organization_id=str(organization_id),
        office_ids=sorted({str(end.office_id) for end in ends}),
        provider_ids=sorted({str(end.provider_id) for end in ends if end.provider_id}),
        user_ids=sorted(map(str, staff)),
    )
    question.at.FromDatetime(on)
    peer = call.peers.identity
    reply = await peer.ask(IdentityStub(peer.channel).RolesAt, question, viewer=call.viewer)
    return list(reply.users)


def _judged(
    state: _State, then: Then, organization_id: OrganizationId, person: UserAt, on: datetime
) -> CouldSee | None:
    user_id = UUID(person.user_id)
    viewer = Viewer(
        kind=Kind.USER,
        user_id=user_id,
        organization_id=organization_id,
        office_admin_of=frozenset(map(UUID, person.office_admin_of)),
        office_staff_of=frozenset(map(UUID, person.office_staff_of)),
        provider_id=UUID(person.provider_id) if person.provider_id else None,
    )
    access = Access(frozenset(state.staff.get(user_id, ())), state.access.removed)
    seen = policy.seen(viewer, access, then.referral, then.hops, on)
    if seen is None:
        return None
    return CouldSee(user_id, seen.sight, policy.explained(viewer, access, then.referral, then.hops))
