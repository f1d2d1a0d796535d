"""What directory and identity may ask referrals over gRPC: fences and open work, never anything about a patient."""

from typing import Any

from kit.db import Database
from kit.errors import Invalid
from kit.ids import parse_id
from kit.rpc import AddServicer, current_viewer
from kit.service import Parts
from proto.referrals.v1 import referrals_pb2 as told
from proto.referrals.v1.referrals_pb2_grpc import ReferralsServicer, add_ReferralsServicer_to_server
from services.referrals import policy
from services.referrals.actions import handing_over, leaving
from services.referrals.actions.leaving import Leaving, OpenWork
from services.referrals.actions.peers import Peers
from services.referrals.domain import (
    GroupId,
    OpenItem,
    OrganizationId,
    ProviderId,
    ReferralId,
    Subject,
    UserId,
)
from services.referrals.store import hands, queues


class ReferralsDoor(ReferralsServicer):
    """Answers directory and identity, and refuses everybody else."""

    def __init__(self, parts: Parts[Peers]) -> None:
        self._parts = parts

    @property
    def _db(self) -> Database:
        return self._parts.db

    async def RaiseFence(self, request: told.FenceRequest, context: Any) -> told.OpenWorkReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Sends are refused from the moment this answers; the answer counts what got in before (R15)."""
        subject = _leaving(request)
        return _reply(await leaving.raise_fence(self._db, subject, self._parts.clock.now()))

    async def LowerFence(self, request: told.FenceRequest, context: Any) -> told.LowerFenceReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Sends are allowed again."""
        await leaving.lower_fence(self._db, _leaving(request))
        return told.LowerFenceReply()

    async def OpenWork(self, request: told.FenceRequest, context: Any) -> told.OpenWorkReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """The open work, without a fence (R12)."""
        return _reply(await leaving.open_work(self._db, _leaving(request)))

    async def EndAccess(self, request: told.FenceRequest, context: Any) -> told.EndAccessReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """The organization reads none of the provider's referrals from the moment this answers (R14)."""
        subject = _leaving(request)
        if subject.kind is not Subject.PROVIDER:
            raise Invalid("Only a provider's referrals are lost.", field="kind")
        provider_id = ProviderId(subject.subject_id)
        async with self._db.transaction() as tx:
            now = self._parts.clock.now()
            await leaving.end_access(tx, subject.organization_id, provider_id, now)
        return told.EndAccessReply()

    async def UserWork(self, request: told.UserWorkRequest, context: Any) -> told.UserWorkReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """What of the organization's open work is in the user's hands, and how much there is at these offices (R07)."""
        policy.permit_identity(current_viewer())
        organization_id = OrganizationId(parse_id(request.organization_id, "organization_id"))
        user_id = UserId(parse_id(request.user_id, "user_id"))
        offices = [parse_id(one, "office_ids") for one in request.office_ids]
        async with self._db.reading() as tx:
            held = await hands.held_by(tx, organization_id, user_id)
            tally = await queues.open_tally(tx, organization_id, Subject.OFFICE, offices)
        return told.UserWorkReply(
            claimed=held.total,
            referral_ids=map(str, held.first),
            offices=[
                told.OfficeWork(office_id=str(one), open=sum(tally.get(one, {}).values()))
                for one in offices
            ],
        )

    async def HandOver(self, request: told.HandOverRequest, context: Any) -> told.HandOverReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """A group's open referrals go to its providers, all of them or none (R24)."""
        policy.permit_directory(current_viewer())
        group_id = GroupId(parse_id(request.group_id, "group_id"))
        organization_id = OrganizationId(parse_id(request.organization_id, "organization_id"))
        to = {
            ReferralId(parse_id(one.referral_id, "referral_id")): ProviderId(
                parse_id(one.provider_id, "provider_id")
            )
            for one in request.handovers
        }
        call = self._parts.call(current_viewer())
        await handing_over.hand_over(call, organization_id, group_id, to)
        return told.HandOverReply()


def _leaving(request: told.FenceRequest) -> Leaving:
    policy.permit_directory(current_viewer())
    if request.kind not in Subject.__members__:
        raise Invalid("kind is PROVIDER, OFFICE or GROUP.", field="kind")
    return Leaving(
        OrganizationId(parse_id(request.organization_id, "organization_id")),
        Subject(request.kind),
        parse_id(request.subject_id, "subject_id"),
        leaving.ALL if request.all else leaving.TOLD,
    )


def _reply(work: OpenWork) -> told.OpenWorkReply:
    return told.OpenWorkReply(
        total=work.total,
        referrals=[_open_referral(item) for item in work.items],
    )


def _open_referral(item: OpenItem) -> told.OpenReferral:
    row = told.OpenReferral(
        referral_id=str(item.referral_id),
        status=item.status.value,
        side=item.side.value,
        office_id=str(item.office_id),
    )
    if item.appointment_at is not None:
        row.appointment_at.FromDatetime(item.appointment_at)
    return row


def servicers(parts: Parts[Peers]) -> list[AddServicer]:
    """The servicers of this service."""
    return [lambda server: add_ReferralsServicer_to_server(ReferralsDoor(parts), server)]
