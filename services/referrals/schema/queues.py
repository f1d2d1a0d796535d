"""Work queues in GraphQL: what is asked of them, and their pages."""

from datetime import UTC, datetime
from uuid import UUID

import strawberry
from strawberry import ID

from kit.graphql import Edge, PageInfo, after_id, after_key, connection, described, page_of
from kit.ids import parse_id
from kit.pages import Page
from services.referrals.actions import looking
from services.referrals.actions.peers import Call
from services.referrals.domain import (
    Place,
    ProviderId,
    Queue,
    QueueFilter,
    QueueOrder,
    Reading,
    ReferralId,
    UserId,
)
from services.referrals.policy import Seen
from services.referrals.schema.entities import Info
from services.referrals.schema.nodes import Referral, show
from services.referrals.schema.words import (
    ReferralStatus,
    ReferralUrgency,
    WorkQueueKind,
    WorkQueueOrder,
)
from services.referrals.store.queues import place_of

_BY_TIME = {QueueOrder.LONGEST_WAITING, QueueOrder.APPOINTMENT}


@strawberry.type(
    description="How many referrals stand in each queue of an office or group, for you."
)
class WorkQueueCounts:
    """What you archived counts as archive."""

    requires_review: int
    sent: int
    received: int
    archive: int = strawberry.field(
        description="At most 1000: the archive grows for ever and is counted no further."
    )


@strawberry.type(description="Part of a work queue, with the counts of all four.")
class WorkQueueConnection:
    """Relay's connection, with counts."""

    edges: list[Edge[Referral]]
    page_info: PageInfo
    queue: strawberry.Private[Queue]

    @described("How many stand in each of the four queues, whatever the filter.")
    async def counts(self, info: Info) -> WorkQueueCounts:
        """Counted only when asked for."""
        found = await looking.queue_counts(info.context.call, self.queue)
        return WorkQueueCounts(
            requires_review=found.requires_review,
            sent=found.sent,
            received=found.received,
            archive=found.archive,
        )


@strawberry.input(
    description="Which referrals of a queue are wanted; what is left out does not matter."
)
class WorkQueueFilter:
    """WorkQueueFilter."""

    statuses: list[ReferralStatus] | None = None
    urgencies: list[ReferralUrgency] | None = None
    specialty_code: str | None = None
    provider_id: ID | None = strawberry.field(
        default=None, description="Who refers, or is to see the patient."
    )
    claimed_by_me: bool = False
    unclaimed: bool = False
    overdue: bool = strawberry.field(
        default=False, description="What its receiver is late with, by its organization's targets."
    )
    offboarding: bool = strawberry.field(
        default=False, description="What a provider of yours who leaves has open."
    )
    externally_managed: bool = strawberry.field(
        default=False, description="What is with a receiver that works outside of the suite."
    )


async def read_queue(
    info: Info,
    queue: Queue,
    kind: WorkQueueKind,
    wanted: tuple[WorkQueueFilter | None, WorkQueueOrder],
    part: tuple[int | None, str | None],
) -> WorkQueueConnection:
    """A page of a queue."""
    call, page = info.context.call, page_of(*part)
    told, order = wanted
    reading = Reading(
        queue, kind, call.clock.now(), _filter(call, told or WorkQueueFilter()), order
    )
    found = await looking.work_queue(call, reading, (_place(page, order), page.limit + 1))

    def key(view: Seen) -> list[object]:
        place = place_of(view.referral, order)
        return [*([place.moment.isoformat()] if place.moment else []), str(place.referral_id)]

    made = connection(found, page, key=key, node=show)
    return WorkQueueConnection(edges=made.edges, page_info=made.page_info, queue=queue)


def _filter(call: Call, told: WorkQueueFilter) -> QueueFilter:
    mine = UserId(call.viewer.require_user()) if told.claimed_by_me else None
    return QueueFilter(
        statuses=tuple(told.statuses) if told.statuses else None,
        urgencies=tuple(told.urgencies) if told.urgencies else None,
        specialty_code=told.specialty_code,
        provider_id=(
            ProviderId(parse_id(told.provider_id, "filter.providerId"))
            if told.provider_id
            else None
        ),
        claimed_by=mine,
        unclaimed=told.unclaimed,
        overdue=told.overdue,
        offboarding=told.offboarding,
        externally_managed=told.externally_managed,
    )


def _place(page: Page, order: QueueOrder) -> Place | None:
    if order not in _BY_TIME:
        found = after_id(page)
        return None if found is None else Place(ReferralId(found))
    key = after_key(page, _moment, UUID)
    return None if key is None else Place(ReferralId(key[1]), key[0])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
