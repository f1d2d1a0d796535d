"""What siblings may ask directory over gRPC."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from kit.errors import Invalid
from kit.ids import parse_id
from kit.rpc import AddServicer, current_viewer
from kit.service import Parts
from proto.directory.v1.directory_pb2 import (
    Alternative,
    FoundPlacement,
    KnownOffice,
    KnownProvider,
    OfficesReply,
    OfficesRequest,
    PlacementsReply,
    PlacementsRequest,
    ProvidersReply,
    ProvidersRequest,
    ReceiverReply,
    ReceiverRequest,
    SenderReply,
    SenderRequest,
    StaffedGroup,
    SuggestedReceiver,
    SuggestionFactor,
    SuggestReply,
    SuggestRequest,
    UserGroupsReply,
    UserGroupsRequest,
)
from proto.directory.v1.directory_pb2_grpc import (
    DirectoryServicer,
    add_DirectoryServicer_to_server,
)
from services.directory import policy, store
from services.directory.actions import receiving, searching
from services.directory.actions.peers import Call, Peers
from services.directory.actions.receiving import Judged, Sending
from services.directory.actions.searching import Search
from services.directory.domain.nouns import OfficeId, OrganizationId, ProviderId, UserId
from services.directory.domain.ranking import Receiver

MOST_IDS = 1000
MOST_SUGGESTED = 100


class DirectoryDoor(DirectoryServicer):
    """Answers siblings."""

    def __init__(self, parts: Parts[Peers]) -> None:
        self._parts = parts

    async def Receiver(self, request: ReceiverRequest, context: Any) -> ReceiverReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """May this provider or group receive a referral at this office now? If not: why, and who may instead.

        NOT_FOUND, and nothing else, for what the viewer is not shown; a service that asks in its own name sees what the network
        sees.
        """
        call, office_id = self._call(), parse_id(request.office_id, "office_id")
        if bool(request.provider_id) == bool(request.group_id):
            raise Invalid("Name a provider or a group.", field="provider_id")
        sender_code = (
            await _judge_sender(call, request.sender) if request.HasField("sender") else ""
        )
        if sender_code not in {"", "OK"}:
            return ReceiverReply(sender_code=sender_code)
        if request.group_id:
            group_id = parse_id(request.group_id, "group_id")
            judged = await receiving.judge_group(call, group_id, office_id)
        else:
            provider_id = parse_id(request.provider_id, "provider_id")
            judged = await receiving.judge_provider(call, provider_id, office_id)
        return _receiver(judged, request.office_id, sender_code)

    async def Suggest(self, request: SuggestRequest, context: Any) -> SuggestReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Who may receive a referral, ranked and explained as for a client (R28)."""
        if not 1 <= request.first <= MOST_SUGGESTED:
            raise Invalid(f"first must be 1 to {MOST_SUGGESTED}.", field="first")
        found = await searching.suggest_receivers(self._call(), _search(request), request.first)
        return SuggestReply(
            receivers=[_suggested(one) for one in found.receivers],
            on=found.on.isoformat(),
            widening=found.widening or "",
            insurance_unknown=found.insurance_unknown,
            place_unknown=found.place_unknown,
        )

    async def Sender(self, request: SenderRequest, context: Any) -> SenderReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """May this office, with this provider or group, send a referral now? (R22)"""
        code = await _judge_sender(self._call(), request)
        return SenderReply(may_send=code == "OK", code=code)

    async def Placements(self, request: PlacementsRequest, context: Any) -> PlacementsReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of these providers are placed at these offices on the day. Others are left out."""
        call, on = self._call(), _day(request.on)
        _require_few(request.keys)
        keys = [
            (
                ProviderId(parse_id(key.provider_id, "provider_id")),
                OfficeId(parse_id(key.office_id, "office_id")),
            )
            for key in request.keys
        ]
        async with call.db.reading() as tx:
            found = await store.placements.on_day(tx, keys, on)
        return PlacementsReply(
            placements=[
                FoundPlacement(
                    provider_id=str(row.provider_id),
                    office_id=str(row.office_id),
                    organization_id=str(row.organization_id),
                    effective_until=row.effective_until.isoformat() if row.effective_until else "",
                )
                for row in found
            ]
        )

    async def Offices(self, request: OfficesRequest, context: Any) -> OfficesReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of these offices belong to the organization, and their state. Others are left out."""
        call = self._call()
        _require_few(request.office_ids)
        organization_id = OrganizationId(parse_id(request.organization_id, "organization_id"))
        ids = [parse_id(one, "office_ids") for one in request.office_ids]
        async with call.db.reading() as tx:
            found = await store.offices.of_organization(tx, organization_id, ids)
        return OfficesReply(
            offices=[
                KnownOffice(office_id=str(one.id), state=one.state, name=one.name) for one in found
            ]
        )

    async def Providers(self, request: ProvidersRequest, context: Any) -> ProvidersReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of these providers belong to the organization, their state and names. Others are left out."""
        call = self._call()
        _require_few(request.provider_ids)
        organization_id = OrganizationId(parse_id(request.organization_id, "organization_id"))
        ids = [parse_id(one, "provider_ids") for one in request.provider_ids]
        async with call.db.reading() as tx:
            found = await store.providers.by_ids(tx, ids)
        return ProvidersReply(
            providers=[
                KnownProvider(provider_id=str(one.id), state=one.state, name=one.name)
                for one in found.values()
                if one.organization_id == organization_id
            ]
        )

    async def UserGroups(self, request: UserGroupsRequest, context: Any) -> UserGroupsReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """The groups of the organization for which the user works, and how many others do (R07)."""
        call = self._call()
        organization_id = OrganizationId(parse_id(request.organization_id, "organization_id"))
        user_id = UserId(parse_id(request.user_id, "user_id"))
        if not policy.may_ask_about(call.viewer, organization_id):
            return UserGroupsReply()
        async with call.db.reading() as tx:
            found = await store.groups.staffed_by(tx, organization_id, user_id)
        return UserGroupsReply(
            groups=[
                StaffedGroup(group_id=str(one.id), name=one.name, others=one.others)
                for one in found
            ]
        )

    def _call(self) -> Call:
        viewer = current_viewer()
        policy.permit_asking(viewer)
        return self._parts.call(viewer)


async def _judge_sender(call: Call, request: SenderRequest) -> str:
    sending = Sending(
        parse_id(request.organization_id, "organization_id"),
        parse_id(request.office_id, "office_id"),
        _optional(request.provider_id, "provider_id"),
        _optional(request.group_id, "group_id"),
    )
    return await receiving.judge_sender(call, sending)


def _receiver(judged: Judged, office_id: str, sender_code: str) -> ReceiverReply:
    return ReceiverReply(
        may_receive=judged.code == "OK",
        code=judged.code,
        organization_id=str(judged.organization_id) if judged.organization_id else "",
        specialty_codes=judged.specialty_codes,
        alternatives=_alternatives(judged, office_id),
        accepting_new_patients=judged.accepting_new_patients,
        provider_id=str(judged.provider_id) if judged.provider_id else "",
        sender_code=sender_code,
    )


def _alternatives(judged: Judged, office_id: str) -> list[Alternative]:
    """Providers with their specialties, then groups with those of their members there."""
    served = {one.provider_id: one.specialty_codes for one in judged.alternatives}
    providers = [
        Alternative(
            provider_id=str(one.provider_id),
            office_id=office_id,
            name=one.name,
            specialty_codes=sorted(one.specialty_codes),
        )
        for one in judged.alternatives
    ]
    groups = [
        Alternative(
            group_id=str(one.id),
            office_id=office_id,
            name=one.name,
            specialty_codes=sorted(
                {code for id_ in one.provider_ids for code in served.get(id_, ())}
            ),
        )
        for one in judged.groups
    ]
    return providers + groups


def _search(request: SuggestRequest) -> Search:
    return Search(
        specialty_code=request.specialty_code or None,
        name="",
        plan_ids=tuple(dict.fromkeys(parse_id(one, "plan_ids") for one in request.plan_ids)),
        near=None,
        office_id=_optional(request.office_id, "office_id"),
        postal_code=request.postal_code or None,
        city="",
        region="",
        on=_day(request.on) if request.on else None,
        language=None,
        only_accepting=request.only_accepting_new_patients,
        include_groups=True,
    )


def _suggested(one: Receiver) -> SuggestedReceiver:
    return SuggestedReceiver(
        provider_id=str(one.provider_id) if one.provider_id else "",
        group_id=str(one.group_id) if one.group_id else "",
        office_id=str(one.office_id),
        name=one.name,
        distance_km=one.distance_km,
        plan=one.plan or "",
        accepted_plan_ids=sorted(str(plan) for plan in one.accepted),
        plan_verified_on=one.plan_verified_on.isoformat() if one.plan_verified_on else "",
        plan_stale=one.plan_stale,
        accepting_new_patients=one.accepting_new_patients,
        score=one.score,
        factors=[
            SuggestionFactor(name=each.name, score=each.score, reason=each.reason)
            for each in one.factors
        ],
    )


def _optional(text: str, field: str) -> UUID | None:
    return parse_id(text, field) if text else None


def _require_few(ids: Iterable[object]) -> None:
    if len(list(ids)) > MOST_IDS:
        raise Invalid(f"Ask for at most {MOST_IDS} at once.")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("on is not a day.", field="on", remedy="Send an ISO date.") from None


def servicers(parts: Parts[Peers]) -> list[AddServicer]:
    """The servicers of this service."""
    return [lambda server: add_DirectoryServicer_to_server(DirectoryDoor(parts), server)]
