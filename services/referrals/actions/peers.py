"""What referrals asks its siblings before it moves a referral: may they send, may they receive, is the plan accepted."""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, TypeAlias, TypeVar
from uuid import UUID

from kit import service
from kit.errors import Conflict, Invalid, NotFound, Refusal
from kit.objects import Objects
from kit.rpc import Peer
from proto.directory.v1 import directory_pb2 as directory
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.insurance.v1 import insurance_pb2 as insurance
from proto.insurance.v1.insurance_pb2_grpc import InsuranceStub
from services.referrals.actions.vault import Vault
from services.referrals.domain import (
    Accepting,
    AttachmentLimits,
    GroupId,
    OfficeId,
    OrganizationId,
    Party,
    PlanAcceptance,
    PlanAnswer,
    PlanId,
    ProviderId,
    Target,
)
from services.referrals.store.news import NewsRoom

log = logging.getLogger(__name__)

T = TypeVar("T")

PLANS_AT_ONCE: Final = 10
PLACES_AT_ONCE: Final = 1000
"""So much insurance answers in one question."""

Asked: TypeAlias = Mapping[tuple[OfficeId, PlanId], Collection[ProviderId]]
"""Whom insurance is asked about, by office and plan."""

_UNABLE = {
    "NOT_APPROVED": "The provider is not approved.",
    "NOT_PLACED": "The provider does not work at that office.",
    "OFFICE_NOT_LIVE": "The office is not live yet.",
    "OFFICE_CLOSING": "The office is closing.",
    "RECEIVER_LEAVING": "The receiver is leaving and takes no new referrals.",
    "GROUP_CANNOT_RECEIVE": "The group does not receive referrals.",
    "GROUP_NOT_STAFFED": "Nobody works for the group yet.",
    "GROUP_CANNOT_SEND": "The group does not send referrals.",
    "PROVIDER_REQUIRED": "Say which provider refers the patient.",
}


@dataclass(frozen=True, slots=True)
class FilePlaces:
    """Where files lie: those of `objects` can be had when it is set; new ones go there, or into the database."""

    objects: Objects | None
    new_in_objects: bool


@dataclass(frozen=True)
class Peers:
    """The siblings referrals asks, the news of its own replicas, what opens patients' data, how much of it may be attached, and where
    that lies."""

    directory: Peer
    insurance: Peer
    identity: Peer
    news: NewsRoom
    vault: Vault
    attachment_limits: AttachmentLimits
    files: FilePlaces


Call: TypeAlias = service.Call[Peers]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another receiver that may be asked instead."""

    office_id: OfficeId
    provider_id: ProviderId | None
    group_id: GroupId | None
    name: str
    specialty_codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver that may receive, as directory knows it."""

    party: Party
    specialty_codes: tuple[str, ...]
    alternatives: tuple[Alternative, ...]


async def ask_receiver(call: Call, target: Target, sender: Party | None = None) -> Receiver:
    """The receiver with its organization; refused with directory's code, and alternatives, when it may not receive now. For a record
    that was merged into another one, that one receives. With a sender, it is refused first where that one may not send (R22)."""
    reply = await _ask_receiver(call, target, sender)
    if sender is not None:
        await _require_sender(call, sender, reply.sender_code)
    alternatives = tuple(_alternative(one) for one in reply.alternatives)
    if not reply.may_receive:
        raise _refused(reply.code, "receiver", alternatives)
    party = target.of(OrganizationId(UUID(reply.organization_id)))
    if reply.provider_id:
        party = replace(party, provider_id=ProviderId(UUID(reply.provider_id)))
    return Receiver(party, tuple(reply.specialty_codes), alternatives)


async def ask_alternatives(
    call: Call, provider_id: ProviderId, office_id: OfficeId
) -> tuple[Alternative, ...]:
    """Who of the office could receive in place of a provider who may not; nobody where the provider may."""
    reply = await _ask_receiver(call, Target(office_id, provider_id))
    return tuple(_alternative(one) for one in reply.alternatives)


async def _ask_receiver(
    call: Call, target: Target, sender: Party | None = None
) -> directory.ReceiverReply:
    question = directory.ReceiverRequest(
        provider_id=_text(target.provider_id),
        group_id=_text(target.group_id),
        office_id=str(target.office_id),
        sender=_sender(sender) if sender else None,
    )
    peer = call.peers.directory
    return await peer.ask(DirectoryStub(peer.channel).Receiver, question, viewer=call.viewer)


async def ask_sender(call: Call, sender: Party) -> None:
    """Refuses with directory's code unless the office may send, with its provider or group (R22)."""
    peer = call.peers.directory
    stub = DirectoryStub(peer.channel)
    reply = await peer.ask(stub.Sender, _sender(sender), viewer=call.viewer)
    if not reply.may_send:
        raise _refused(reply.code, "sender", ())


async def _require_sender(call: Call, sender: Party, code: str) -> None:
    """What was answered of the sender; an older directory, which is asked once more, has not looked at it."""
    if not code:
        await ask_sender(call, sender)
    elif code != "OK":
        raise _refused(code, "sender", ())


def _sender(sender: Party) -> directory.SenderRequest:
    return directory.SenderRequest(
        organization_id=str(sender.organization_id),
        office_id=str(sender.office_id),
        provider_id=_text(sender.provider_id),
        group_id=_text(sender.group_id),
    )


def _refused(code: str, field: str, alternatives: tuple[Alternative, ...]) -> Refusal:
    if code == "NOT_FOUND":
        return NotFound(f"There is no such {field}.", field=field)
    remedy = "Choose another one; alternatives may be listed."
    if field == "sender":
        remedy = "Send in the name of somebody who may; a client admin sets up groups, or support (requestSupport)."
    message = _UNABLE.get(code, f"The {field} cannot take part in a referral now.")
    return Conflict(message, code=code, field=field, remedy=remedy, alternatives=alternatives)


async def ask_own_office(call: Call, organization_id: OrganizationId, office_id: OfficeId) -> bool:
    """Whether the office is the organization's, as directory knows it."""
    question = directory.OfficesRequest(
        organization_id=str(organization_id), office_ids=[str(office_id)]
    )
    peer = call.peers.directory
    reply = await peer.ask(DirectoryStub(peer.channel).Offices, question, viewer=call.viewer)
    return bool(reply.offices)


async def ask_plan(
    call: Call, receiver: Party, plan_id: PlanId, members: Sequence[ProviderId], on: date
) -> PlanAnswer:
    """Whether the receiver's provider (or, of a group, how many of its members) accept the plan at the office on the day.

    UNKNOWN when insurance cannot say: a referral never waits for it. UNKNOWN_PLAN refuses an id that insurance does not know.
    """
    asked = [receiver.provider_id] if receiver.provider_id is not None else list(members)
    if not asked:
        return PlanAnswer(PlanAcceptance.UNKNOWN)
    reply = await _ask_accepts(call, (receiver.office_id, plan_id), asked, on)
    if reply is None:
        return PlanAnswer(PlanAcceptance.UNKNOWN)
    if not reply.plan_known:
        raise Invalid("There is no such insurance plan.", code="UNKNOWN_PLAN", field="planId")
    accepting = len(set(reply.accepting_provider_ids) & {str(one) for one in asked})
    state = PlanAcceptance.ACCEPTED if accepting else PlanAcceptance.NOT_LISTED
    return PlanAnswer(state, asked=len(asked), accepting=accepting)


async def ask_accepting(call: Call, asked: Asked, on: date) -> Accepting:
    """For each office and plan which of the providers accept it there on the day; None where insurance cannot say. One question for
    ten plans and a thousand places."""
    found = dict[tuple[OfficeId, PlanId], frozenset[ProviderId] | None]()
    for plans in _parts(sorted({plan for _, plan in asked}), PLANS_AT_ONCE):
        keys = [key for key in asked if key[1] in plans]
        places = sorted({(one, key[0]) for key in keys for one in asked[key]})
        replies = [
            await _ask_accepts_many(call, some, plans, on)
            for some in _parts(places, PLACES_AT_ONCE)
        ]
        found |= {key: _accepted(replies, key, asked[key]) for key in keys}
    return found


def _accepted(
    replies: Sequence[insurance.AcceptsManyReply | None],
    plan_at: tuple[OfficeId, PlanId],
    asked: Collection[ProviderId],
) -> frozenset[ProviderId] | None:
    office, plan = map(str, plan_at)
    told = [one for one in replies if one is not None]
    known = all(any(each.plan_id == plan for each in one.known_plans) for one in told)
    if asked and (len(told) < len(replies) or not known):
        return None
    accepting = {
        ProviderId(UUID(one.provider_id))
        for reply in told
        for one in reply.acceptances
        if (one.office_id, one.plan_id) == (office, plan)
    }
    return frozenset(accepting.intersection(asked))


def _parts(things: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    return (things[start : start + most] for start in range(0, len(things), most))


async def _ask_accepts_many(
    call: Call, places: Sequence[tuple[ProviderId, OfficeId]], plans: Sequence[PlanId], on: date
) -> insurance.AcceptsManyReply | None:
    """What insurance answers; None when it is away, or cannot."""
    question = insurance.AcceptsManyRequest(
        places=[
            insurance.AcceptsPlace(provider_id=str(provider), office_id=str(office))
            for provider, office in places
        ],
        plan_ids=[str(plan) for plan in plans],
        on=on.isoformat(),
    )
    peer = call.peers.insurance
    try:
        return await peer.ask(InsuranceStub(peer.channel).AcceptsMany, question, viewer=call.viewer)
    except (Refusal, RuntimeError) as error:
        log.warning("plan acceptance is unknown", extra={"because": type(error).__name__})
        return None


async def _ask_accepts(
    call: Call, plan_at: tuple[OfficeId, PlanId], asked: Collection[ProviderId], on: date
) -> insurance.AcceptsReply | None:
    """What insurance answers; None when it is away, or cannot."""
    office_id, plan_id = plan_at
    question = insurance.AcceptsRequest(
        provider_ids=[str(one) for one in asked],
        office_id=str(office_id),
        plan_id=str(plan_id),
        on=on.isoformat(),
    )
    peer = call.peers.insurance
    try:
        return await peer.ask(InsuranceStub(peer.channel).Accepts, question, viewer=call.viewer)
    except (Refusal, RuntimeError) as error:
        log.warning("plan acceptance is unknown", extra={"because": type(error).__name__})
        return None


async def ask_referring_npi(
    call: Call, plans: Sequence[PlanId], on: date
) -> dict[PlanId, bool | None]:
    """Whether the payers of these plans want the NPI of who refers (R22); None for all of them when insurance cannot say."""
    question = insurance.AcceptsManyRequest(plan_ids=[str(one) for one in plans], on=on.isoformat())
    peer = call.peers.insurance
    try:
        reply = await peer.ask(
            InsuranceStub(peer.channel).AcceptsMany, question, viewer=call.viewer
        )
    except (Refusal, RuntimeError) as error:
        log.warning("what payers want is unknown", extra={"because": type(error).__name__})
        return dict.fromkeys(plans, None)
    wanting = {one.plan_id for one in reply.known_plans if one.needs_referring_npi}
    return {one: str(one) in wanting for one in plans}


def _alternative(told: directory.Alternative) -> Alternative:
    provider = ProviderId(UUID(told.provider_id)) if told.provider_id else None
    group = GroupId(UUID(told.group_id)) if told.group_id else None
    codes = frozenset(told.specialty_codes)
    return Alternative(OfficeId(UUID(told.office_id)), provider, group, told.name, codes)


def _text(id_: UUID | None) -> str:
    return "" if id_ is None else str(id_)
