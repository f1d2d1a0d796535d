"""What can be asked of referrals, and what can be watched."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import strawberry
from strawberry import ID

from kit.audit.graph import audit_field
from kit.errors import Invalid
from kit.graphql import described
from services.referrals import policy
from services.referrals.actions import looking
from services.referrals.domain import (
    GroupId,
    OfficeId,
    ProviderId,
    Queue,
    QueueOrder,
    Subject,
)
from services.referrals.schema.cases import CasesQuery
from services.referrals.schema.entities import Info, Office, User
from services.referrals.schema.explaining import ExplainingQuery
from services.referrals.schema.inputs import optional
from services.referrals.schema.nodes import Referral, ReferralReason, load_referral, show
from services.referrals.schema.patients import PatientQuery
from services.referrals.schema.queues import WorkQueueConnection, WorkQueueFilter, read_queue
from services.referrals.schema.targets import TargetsQuery
from services.referrals.schema.then import ThenQuery
from services.referrals.schema.words import (
    ReferralHappened,
    ReferralReasonKind,
    WorkQueueKind,
    WorkQueueOrder,
)


@strawberry.type(description="Open work at one office.")
class OfficeOpenWork:
    """A number only."""

    office: Office | None
    total: int


@strawberry.type(
    description="What stands in the way of a removal: numbers, and those referrals (at most 100) that you may work on."
)
class OpenWork:
    """Client admins see the numbers; who works the queues sees the referrals with their allowedActions."""

    total: int
    by_office: list[OfficeOpenWork]
    referrals: list[Referral]


@strawberry.type(description="Something that happened in a work queue.")
class WorkQueueChange:
    """The referral as you see it now."""

    happened: ReferralHappened
    referral: Referral


@strawberry.type
class Query(CasesQuery, ExplainingQuery, ThenQuery, TargetsQuery, PatientQuery):
    """What can be asked."""

    referrals_audit = audit_field("referrals", user=User, permit=policy.permit_audit)

    @described("Null when it is unknown to you.")
    async def referral(self, info: Info, id: ID) -> Referral | None:
        """One referral."""
        info.context.call.viewer.require_organization()
        return await load_referral(info, id)

    @described("A work queue of an office or a group you work for, or your own as a provider.")
    async def work_queue(  # noqa: PLR0913, PLR0917 - the arguments of a GraphQL field
        self,
        info: Info,
        kind: WorkQueueKind,
        office_id: ID | None = None,
        group_id: ID | None = None,
        provider_id: ID | None = None,
        filter: WorkQueueFilter | None = None,
        order: WorkQueueOrder = QueueOrder.NEWEST,
        first: int | None = None,
        after: str | None = None,
    ) -> WorkQueueConnection:
        """Newest first, unless another order is asked for."""
        queue = _queue(office_id, group_id, provider_id)
        return await read_queue(info, queue, kind, (filter, order), (first, after))

    @described(
        "Open work of your organization with a provider, an office or a group: name exactly one."
    )
    async def open_work(
        self,
        info: Info,
        provider_id: ID | None = None,
        office_id: ID | None = None,
        group_id: ID | None = None,
    ) -> OpenWork:
        """R12."""
        named = {
            Subject.PROVIDER: optional(provider_id, "providerId"),
            Subject.OFFICE: optional(office_id, "officeId"),
            Subject.GROUP: optional(group_id, "groupId"),
        }
        kind, subject_id = _one_of(named)
        seen = await looking.open_work(info.context.call, kind, subject_id)
        return OpenWork(
            total=seen.total,
            by_office=[
                OfficeOpenWork(office=Office(id=ID(str(office))), total=total)
                for office, total in seen.by_office
            ],
            referrals=[show(view) for view in seen.referrals],
        )

    @described("The coded reasons that may be given today.")
    async def referral_reasons(self, info: Info, kind: ReferralReasonKind) -> list[ReferralReason]:
        """By code."""
        found = await looking.reasons(info.context.call, kind)
        return [ReferralReason(kind=one.kind, code=one.code, text=one.text) for one in found]


def _watched(text: str) -> Callable[[Callable[..., Any]], Any]:
    decorator: Callable[[Callable[..., Any]], Any] = strawberry.subscription(description=text)
    return decorator


@strawberry.type
class Subscription:
    """What can be watched."""

    @_watched(
        "Changes in the work queue of an office or group you work for, or your own as a provider, as they happen. Ends when you"
        " lose the queue."
    )
    async def work_queue_changed(
        self,
        info: Info,
        office_id: ID | None = None,
        group_id: ID | None = None,
        provider_id: ID | None = None,
    ) -> AsyncIterator[WorkQueueChange]:
        """By the policy of the moment."""
        queue = _queue(office_id, group_id, provider_id)
        async for noticed in looking.watch(info.context.call, queue):
            yield WorkQueueChange(happened=noticed.happened, referral=show(noticed.view))


def _queue(office_id: ID | None, group_id: ID | None, provider_id: ID | None) -> Queue:
    office, group = optional(office_id, "officeId"), optional(group_id, "groupId")
    provider = optional(provider_id, "providerId")
    _one_of({Subject.OFFICE: office, Subject.GROUP: group, Subject.PROVIDER: provider})
    return Queue(
        OfficeId(office) if office else None,
        GroupId(group) if group else None,
        ProviderId(provider) if provider else None,
    )


def _one_of(named: dict[Subject, UUID | None]) -> tuple[Subject, UUID]:
    given = [(kind, id_) for kind, id_ in named.items() if id_ is not None]
    if len(given) != 1:
        words = " or ".join(f"{kind.value.lower()}Id" for kind in named)
        raise Invalid(f"Name exactly one of {words}.", code="ONE_OF")
    return given[0]
