"""The call centre's feed (R10)."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    after_moment,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.directory import policy, store
from services.directory.actions import feed as verbs
from services.directory.domain import allowed, feed
from services.directory.domain.feed import Subject
from services.directory.schema import loading
from services.directory.schema.things import Office, Provider
from services.directory.schema.words import Info, User, id_of, ids

ItemKind = strawberry.enum(feed.Subject, name="CallCentreItemKind")
ChangeKind = strawberry.enum(feed.ChangeKind, name="CallCentreChangeKind")
ItemAction = strawberry.enum(allowed.FeedAction, name="CallCentreItemAction")


@strawberry.type(
    description="One thing that has changed. Which fields are set follows from `kind`."
)
class CallCentreChange:
    """CallCentreChange."""

    kind: ChangeKind  # type: ignore[valid-type]
    count: int = strawberry.field(description="How often, in a digest; 1 otherwise.")
    effective_from: date | None = strawberry.field(description="The first day.")
    effective_until: date | None = strawberry.field(description="The day after the last.")
    accepting_new_patients: bool | None
    plan_ids_added: list[strawberry.ID]
    plan_ids_ended: list[strawberry.ID]
    row: strawberry.Private[feed.Change]

    @described("Where; of a move, where to.")
    async def office(self, info: Info) -> Office | None:
        """R10."""
        row = await loading.office(info, self.row.office_id) if self.row.office_id else None
        return Office.of(row) if row else None

    @described("Of a move: where from.")
    async def from_office(self, info: Info) -> Office | None:
        """R10."""
        key = self.row.from_office_id
        row = await loading.office(info, key) if key else None
        return Office.of(row) if row else None

    @described("Of a record that was merged: the one it is now.")
    async def survivor(self, info: Info) -> Provider | None:
        """R10."""
        row = await loading.provider(info, self.row.survivor_id) if self.row.survivor_id else None
        return Provider.of(row) if row else None

    @classmethod
    def of(cls, row: feed.Change) -> "CallCentreChange":
        """As GraphQL tells it."""
        return cls(
            kind=row.kind,
            count=row.count,
            effective_from=row.effective_from,
            effective_until=row.effective_until,
            accepting_new_patients=row.accepting_new_patients,
            plan_ids_added=[id_of(one) for one in row.plans_added],
            plan_ids_ended=[id_of(one) for one in row.plans_ended],
            row=row,
        )


@strawberry.type(
    description="What has changed with one provider or office, or the numbers of many."
)
class CallCentreItem:
    """CallCentreItem."""

    id: strawberry.ID
    kind: ItemKind  # type: ignore[valid-type]
    told_at: datetime
    changes: list[CallCentreChange]
    subjects: int = strawberry.field(description="How many providers and offices it is about.")
    acknowledged_at: datetime | None
    acknowledged_by: User | None
    escalated_at: datetime | None = strawberry.field(
        description="When it went to the client admins because nobody had acknowledged it."
    )
    row: strawberry.Private[feed.FeedItem]

    @described("For PROVIDER.")
    async def provider(self, info: Info) -> Provider | None:
        """R10."""
        about = self.row.subject_id if self.row.kind is Subject.PROVIDER else None
        row = await loading.provider(info, about) if about else None
        return Provider.of(row) if row else None

    @described("For OFFICE.")
    async def office(self, info: Info) -> Office | None:
        """R10."""
        about = self.row.subject_id if self.row.kind is Subject.OFFICE else None
        row = await loading.office(info, about) if about else None
        return Office.of(row) if row else None

    @strawberry.field
    def allowed_actions(self, info: Info) -> list[ItemAction]:  # type: ignore[valid-type]
        """What the viewer may do with it now."""
        return list(policy.feed_actions(info.context.call.viewer, self.row))

    @classmethod
    def of(cls, row: feed.FeedItem) -> "CallCentreItem":
        """As GraphQL tells it."""
        return cls(
            id=id_of(row.id),
            kind=row.kind,
            told_at=row.told_at,
            changes=[CallCentreChange.of(one) for one in row.changes],
            subjects=row.subjects,
            acknowledged_at=row.acknowledged_at,
            acknowledged_by=User(id=id_of(row.acknowledged_by)) if row.acknowledged_by else None,
            escalated_at=row.escalated_at,
            row=row,
        )


@strawberry.type
class FeedQuery:
    """What has changed."""

    @described(
        "What has changed with the organization's providers and offices, newest first, for its call centre and its client"
        " admins. Empty without call-centre users (R10)."
    )
    async def call_centre_feed(
        self,
        info: Info,
        first: int | None = None,
        after: str | None = None,
        *,
        unacknowledged: bool = False,
    ) -> Connection[CallCentreItem]:
        """R10."""
        page, call = page_of(first, after), info.context.call
        organization_id = policy.permit_feed(call.viewer)
        async with call.db.reading() as tx:
            rows = await store.feed.page(
                tx,
                organization_id,
                after_moment(page),
                page.limit + 1,
                unacknowledged=unacknowledged,
            )
        return connection(
            rows,
            page,
            key=lambda row: (row.told_at.isoformat(), row.id),
            node=CallCentreItem.of,
        )


@strawberry.input
class AcknowledgeChangesInput:
    """Either the items, at most 200, or one up to which all are meant."""

    item_ids: list[strawberry.ID] = strawberry.field(default_factory=list)
    up_to: strawberry.ID | None = strawberry.field(
        default=None, description="This one and all that were told before it."
    )


@strawberry.type(description="The call centre has taken note.")
class ChangesAcknowledged:
    """ChangesAcknowledged."""

    acknowledged: int = strawberry.field(description="Of how many nobody had taken note before.")
    items: list[CallCentreItem] = strawberry.field(description="Those that were named.")


AcknowledgeChangesResult = Annotated[
    ChangesAcknowledged | CommonProblems, strawberry.union("AcknowledgeChangesResult")
]


@strawberry.type
class FeedMutation:
    """Verbs of the feed."""

    @mutation
    async def acknowledge_changes(
        self, info: Info, input: AcknowledgeChangesInput
    ) -> AcknowledgeChangesResult:
        """Take note of what has changed; for users of the call centre. Who was first stays (R10)."""
        count, rows = await verbs.acknowledge(
            info.context.call,
            ids(input.item_ids, "itemIds"),
            parse_id(input.up_to, "upTo") if input.up_to else None,
        )
        return ChangesAcknowledged(
            acknowledged=count, items=[CallCentreItem.of(row) for row in rows]
        )
