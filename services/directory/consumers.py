"""What directory hears: which plans are accepted where, how soon receivers answer, and who works where."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date
from uuid import UUID

from kit.db import Connection
from kit.inbox import Handler, Heard, Hearing, from_here_on
from kit.service import Parts
from kit.workplace import workplace
from proto.identity.v1 import events_pb2 as identity
from proto.insurance.v1 import events_pb2 as insurance
from proto.referrals.v1 import events_pb2 as referrals
from services.directory import store
from services.directory.actions import awaiting, going_live, members, searching
from services.directory.actions.peers import Call, Peers
from services.directory.domain.nouns import OfficeId, OrganizationId, UserId
from services.directory.store.heard import Arrival, ParticipationHeard

# Insurance ------------------------------------------------------------------------------------------------------------


async def _participation_told(tx: Connection, heard: Heard) -> None:
    """Added, or given an earlier end: the fact says the whole of it."""
    fact: insurance.ParticipationAdded | insurance.ParticipationEnded = heard.fact
    verified = fact.verified_on if isinstance(fact, insurance.ParticipationAdded) else ""
    row = ParticipationHeard(
        participation_id=UUID(fact.participation_id),
        organization_id=heard.organization_id,
        provider_id=UUID(fact.provider_id),
        office_id=UUID(fact.office_id),
        plan_id=UUID(fact.plan_id),
        effective_from=date.fromisoformat(fact.effective_from),
        effective_until=_day(fact.effective_until),
        verified_on=_day(verified),
    )
    await store.heard.keep_participation(tx, row)


async def _participation_verified(tx: Connection, heard: Heard) -> None:
    fact: insurance.ParticipationVerified = heard.fact
    on = date.fromisoformat(fact.verified_on)
    await store.heard.verify_participation(tx, UUID(fact.participation_id), on)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


# Referrals ------------------------------------------------------------------------------------------------------------

_Arriving = referrals.ReferralSent | referrals.ReferralForwarded
_Answering = (
    referrals.ReferralAcknowledged | referrals.ReferralScheduled | referrals.ReferralDeclined
)


async def _referral_arrived(tx: Connection, heard: Heard) -> None:
    fact: _Arriving = heard.fact
    state = fact.referral
    if not _received_here(state, heard.organization_id):
        return
    arrival = Arrival(
        referral_id=UUID(state.referral_id),
        hop=state.hop,
        office_id=UUID(state.receiving_office_id),
        provider_id=_id(state.receiving_provider_id),
        group_id=_id(state.receiving_group_id),
        at=state.occurred_at.ToDatetime(UTC),
    )
    await store.heard.keep_arrival(tx, arrival)


async def _referral_answered(tx: Connection, heard: Heard) -> None:
    """The receiver's first word counts, whatever it is."""
    fact: _Answering = heard.fact
    state = fact.referral
    if _received_here(state, heard.organization_id):
        at = state.occurred_at.ToDatetime(UTC)
        referral_id = UUID(state.referral_id)
        await store.heard.keep_answer(tx, referral_id, state.hop, at)
        await store.answering.count(tx, referral_id, state.hop, at - searching.MEMORY)


def _received_here(state: referrals.ReferralState, organization_id: UUID) -> bool:
    return state.side == "RECEIVING" and state.receiving_organization_id == str(organization_id)


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None


async def _case_ready(tx: Connection, heard: Heard) -> None:
    """Nothing is open with a provider who leaves: who is to be removed then can be (R13, R15)."""
    fact: referrals.OffboardingCaseReady = heard.fact
    organization_id = OrganizationId(heard.organization_id)
    await awaiting.hasten(tx, organization_id, UUID(fact.provider_id), heard.time)


_CALL_CENTRE = "CALL_CENTRE"
_CLIENT_ADMIN = "CLIENT_ADMIN"

# Identity -------------------------------------------------------------------------------------------------------------


async def _user_invited(tx: Connection, heard: Heard) -> None:
    organization_id, user_id = _user(heard)
    await store.heard.keep_user(tx, organization_id, user_id, active=True)


async def _user_reactivated(tx: Connection, heard: Heard) -> None:
    """The roles follow, each as a fact of its own."""
    fact: identity.UserReactivated = heard.fact
    organization_id, user_id = _user(heard)
    await store.heard.keep_user(tx, organization_id, user_id, confirmed=fact.confirmed, active=True)


async def _role_revoked(tx: Connection, call: Call, heard: Heard) -> None:
    fact: identity.RoleRevoked = heard.fact
    organization_id, user_id = _user(heard)
    if fact.role == _CALL_CENTRE:
        await store.feed.drop_reader(tx, organization_id, user_id)
    if fact.role == _CLIENT_ADMIN:
        await awaiting.asker_gone(tx, call, organization_id, user_id)
    if office := workplace(fact.role, fact.office_id):
        office_id = OfficeId(office)
        await store.heard.drop_role(tx, organization_id, user_id, office_id, fact.role)
        await going_live.recheck_in(tx, call, organization_id, [office_id], revoking=True)


def _user(heard: Heard) -> tuple[OrganizationId, UserId]:
    return OrganizationId(heard.organization_id), UserId(heard.aggregate_id)


async def _user_confirmed(tx: Connection, call: Call, heard: Heard) -> None:
    organization_id, user_id = _user(heard)
    await store.heard.keep_user(tx, organization_id, user_id, confirmed=True, active=True)
    await members.staff_confirmed(tx, call, organization_id, user_id)
    await going_live.recheck_staffed_by(tx, call, organization_id, user_id)


async def _user_deactivated(tx: Connection, call: Call, heard: Heard) -> None:
    organization_id, user_id = _user(heard)
    await store.heard.keep_user(tx, organization_id, user_id, active=False)
    offices = await store.heard.drop_roles(tx, organization_id, user_id)
    await store.feed.drop_reader(tx, organization_id, user_id)
    await members.staff_gone(tx, call, organization_id, user_id)
    await going_live.recheck_in(tx, call, organization_id, offices, revoking=True)
    await awaiting.asker_gone(tx, call, organization_id, user_id)


async def _role_granted(tx: Connection, call: Call, heard: Heard) -> None:
    fact: identity.RoleGranted = heard.fact
    organization_id, user_id = _user(heard)
    await store.heard.keep_user(tx, organization_id, user_id)
    if fact.role == _CALL_CENTRE:
        await store.feed.add_reader(tx, organization_id, user_id)
    if office := workplace(fact.role, fact.office_id):
        office_id = OfficeId(office)
        await store.heard.keep_role(tx, organization_id, user_id, office_id, fact.role)
        await going_live.recheck_in(tx, call, organization_id, [office_id], revoking=True)


def _identity(parts: Parts[Peers]) -> Hearing:
    def with_call(handle: Callable[[Connection, Call, Heard], Awaitable[None]]) -> Handler:
        return lambda tx, heard: handle(tx, parts.call(), heard)

    return Hearing(
        "identity",
        "user",
        {
            identity.UserInvited: _user_invited,
            identity.UserConfirmed: with_call(_user_confirmed),
            identity.UserDeactivated: with_call(_user_deactivated),
            identity.RoleGranted: with_call(_role_granted),
            identity.RoleRevoked: with_call(_role_revoked),
            identity.UserReactivated: _user_reactivated,
        },
    )


_INSURANCE = Hearing(
    "insurance",
    "participation",
    {
        insurance.ParticipationAdded: _participation_told,
        insurance.ParticipationEnded: _participation_told,
        insurance.ParticipationVerified: _participation_verified,
    },
)
_REFERRALS = Hearing(
    "referrals",
    "referral",
    {
        referrals.ReferralSent: _referral_arrived,
        referrals.ReferralForwarded: _referral_arrived,
        referrals.ReferralAcknowledged: _referral_answered,
        referrals.ReferralScheduled: _referral_answered,
        referrals.ReferralDeclined: _referral_answered,
    },
)


_CASES = Hearing(
    "referrals", "offboarding_case", {referrals.OffboardingCaseReady: _case_ready}, from_here_on
)


def hearings(parts: Parts[Peers]) -> list[Hearing]:
    """Everything directory hears."""
    return [_identity(parts), _INSURANCE, _REFERRALS, _CASES]
