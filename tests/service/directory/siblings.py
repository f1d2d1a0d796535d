"""A small identity and a small referrals, for directory to ask."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any
from uuid import uuid4

import grpc

from proto.identity.v1.identity_pb2 import (
    CoverageReply,
    CoverageRequest,
    KnownUser,
    OfficeCoverage,
    UsersReply,
    UsersRequest,
)
from proto.identity.v1.identity_pb2_grpc import IdentityServicer
from proto.referrals.v1.referrals_pb2 import (
    EndAccessReply,
    FenceRequest,
    HandOverReply,
    HandOverRequest,
    LowerFenceReply,
    OpenReferral,
    OpenWorkReply,
)
from proto.referrals.v1.referrals_pb2_grpc import ReferralsServicer


class SmallIdentity(IdentityServicer):
    """Knows who covers which office and which users an organization has."""

    def __init__(self) -> None:
        self.covered: dict[str, int] = {}
        self.known: dict[str, tuple[str, bool, bool]] = {}
        self.works: dict[str, set[str]] = {}

    async def Coverage(self, request: CoverageRequest, context: Any) -> CoverageReply:  # noqa: ANN401, ARG002, N802
        return CoverageReply(
            offices=[
                OfficeCoverage(office_id=one, confirmed_staff=self.covered.get(one, 0))
                for one in request.office_ids
            ]
        )

    async def Users(self, request: UsersRequest, context: Any) -> UsersReply:  # noqa: ANN401, ARG002, N802
        users = []
        for one in request.user_ids:
            organization, confirmed, active = self.known.get(one, ("", False, False))
            if organization == request.organization_id:
                offices = sorted(self.works.get(one, ()))
                known = KnownUser(user_id=one, confirmed=confirmed, active=active)
                known.office_staff_of.extend(offices)
                users.append(known)
        return UsersReply(users=users)


class SmallReferrals(ReferralsServicer):
    """Keeps fences and counts open work. `away` makes it refuse to answer, `fenceless` to raise or lower a
    fence; `hold()` keeps its next fence back."""

    def __init__(self) -> None:
        self.fences: set[str] = set()
        self.work: dict[str, list[OpenReferral]] = {}
        self.ended: set[str] = set()
        self.handed: dict[str, str] = {}
        self.away = self.fenceless = False
        self.asked: Counter[str] = Counter()
        self.held = asyncio.Event()
        self._gate = asyncio.Event()
        self._gate.set()
        self._late = False

    def hold(self, *, late: bool = False) -> asyncio.Event:
        """Keep the next answers back until the event is set; `held` tells when somebody waits. `late`: their fences come up no
        sooner than that."""
        self._late = late
        self.held, self._gate = asyncio.Event(), asyncio.Event()
        return self._gate

    def leave_open(
        self, subject: str, office: str, *, side: str = "RECEIVING", at: datetime | None = None
    ) -> str:
        """One more open referral, with an appointment if a time is given; answers its id."""
        status, referral = "SCHEDULED" if at else "PENDING", str(uuid4())
        row = OpenReferral(referral_id=referral, status=status, side=side, office_id=office)
        if at is not None:
            row.appointment_at.FromDatetime(at)
        self.work.setdefault(subject, []).append(row)
        return referral

    async def RaiseFence(self, request: FenceRequest, context: Any) -> OpenWorkReply:  # noqa: ANN401, N802
        await self._answer(request, context, fence=True)
        if not self._late:
            self.fences.add(request.subject_id)
        self.held.set()
        await self._gate.wait()
        self.fences.add(request.subject_id)
        return self._open(request)

    async def LowerFence(self, request: FenceRequest, context: Any) -> LowerFenceReply:  # noqa: ANN401, N802
        await self._answer(request, context, fence=True)
        self.fences.discard(request.subject_id)
        return LowerFenceReply()

    async def OpenWork(self, request: FenceRequest, context: Any) -> OpenWorkReply:  # noqa: ANN401, N802
        await self._answer(request, context)
        return self._open(request)

    async def EndAccess(self, request: FenceRequest, context: Any) -> EndAccessReply:  # noqa: ANN401, N802
        await self._answer(request, context)
        self.ended.add(request.subject_id)
        return EndAccessReply()

    async def HandOver(self, request: HandOverRequest, context: Any) -> HandOverReply:  # noqa: ANN401, N802
        if self.away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        given = {one.referral_id: one.provider_id for one in request.handovers}
        self.handed |= given
        left = [one for one in self.work.get(request.group_id, []) if one.referral_id not in given]
        self.work[request.group_id] = left
        return HandOverReply()

    async def _answer(
        self,
        request: FenceRequest,
        context: Any,  # noqa: ANN401
        *,
        fence: bool = False,
    ) -> None:
        self.asked[request.subject_id] += 1
        if self.away or (self.fenceless and fence):
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")

    def _open(self, request: FenceRequest) -> OpenWorkReply:
        rows = self.work.get(request.subject_id, [])
        return OpenWorkReply(total=len(rows), referrals=rows if request.all else rows[:100])
