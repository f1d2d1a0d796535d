"""The call centre's feed: told by a job, acknowledged by those who read it, passed on when nobody does (R10)."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from google.protobuf.message import Message

from kit import outbox
from kit.db import Connection
from kit.each import each
from kit.errors import Invalid
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions.peers import Call
from services.directory.domain import feed
from services.directory.domain.feed import FeedItem, FeedItemId, Subject, Told
from services.directory.domain.nouns import OrganizationId

MOST_IDS = 200
"""Items acknowledged in one call."""

_NAMED = 100
"""Items that one fact names."""


async def tell(call: Call) -> None:
    """The job: tell every organization what is another than before, 20 seconds after the first of it was touched."""
    async with call.db.reading() as tx:
        waiting = await store.feed.waiting(tx, call.clock.now() - feed.PATIENCE)
    await each(waiting, partial(_tell_one, call))


async def _tell_one(call: Call, organization_id: OrganizationId) -> None:
    async with call.db.transaction() as tx:
        await store.feed.hold(tx, organization_id)
        news = feed.news(await store.feed.take(tx, organization_id))
        if news and not await _grown(tx, call, organization_id, news):
            await _tell(tx, call, organization_id, news)


async def _grown(
    tx: Connection, call: Call, organization_id: OrganizationId, news: list[Told]
) -> bool:
    """Whether a burst goes on: then the digest that was told has more in it, and nobody is told again."""
    now = call.clock.now()
    if news[0].kind is not Subject.DIGEST:
        return False
    item = await store.feed.growing(tx, organization_id, now - feed.GROWING)
    if item is not None:
        before = Told(item.kind, None, item.changes, item.subjects)
        await store.feed.grow(tx, item, feed.digest([before, *news]), now)
    return item is not None


async def _tell(
    tx: Connection, call: Call, organization_id: OrganizationId, news: list[Told]
) -> None:
    keys = [FeedItemId(new_id()) for _ in news]
    for key, told in zip(keys, news, strict=True):
        await store.feed.add(tx, organization_id, key, told, call.clock.now())
    fact = facts.ChangeFeedExtended(items=len(keys), item_ids=[str(key) for key in keys[:_NAMED]])
    await _record(tx, call, organization_id, fact)


async def escalate(call: Call) -> None:
    """The job: what nobody has acknowledged within 24 hours is the client admins' from then on."""
    now = call.clock.now()
    async with call.db.transaction() as tx:
        late = await store.feed.escalate(tx, now - feed.UNANSWERED, now)
        for organization_id, items in late.items():
            fact = facts.ChangeFeedEscalated(items=items)
            await _record(tx, call, OrganizationId(organization_id), fact)


async def acknowledge(
    call: Call, ids: Sequence[UUID], up_to: UUID | None
) -> tuple[int, list[FeedItem]]:
    """Take note of these items, or of one and all that were told before it. Answers of how many nobody had, and the items that
    were named, as they are now; who was first stays."""
    organization_id = policy.permit_acknowledging(call.viewer)
    _require_one_way(ids, up_to)
    named = list(dict.fromkeys(ids if up_to is None else [up_to]))
    async with call.db.transaction() as tx:
        found = await store.feed.by_ids(tx, organization_id, named)
        if len(found) != len(named):
            raise policy.unknown("item", "itemIds" if up_to is None else "upTo")
        which = (named, found[0] if up_to is not None else None)
        by = policy.acting_user(call.viewer)
        items = await store.feed.acknowledge(tx, organization_id, which, by, call.clock.now())
        if items:
            fact = facts.ChangeFeedAcknowledged(items=items, user_id=str(by))
            await _record(tx, call, organization_id, fact)
        return items, await store.feed.by_ids(tx, organization_id, named)


def _require_one_way(ids: Sequence[UUID], up_to: UUID | None) -> None:
    if bool(ids) == (up_to is not None):
        raise Invalid("Give either itemIds or upTo.", field="itemIds")
    if len(ids) > MOST_IDS:
        raise Invalid(
            f"Give at most {MOST_IDS} items.",
            field="itemIds",
            remedy="Acknowledge all up to one with upTo.",
        )


async def _record(
    tx: Connection, call: Call, organization_id: OrganizationId, fact: Message
) -> None:
    await outbox.record(
        tx,
        fact,
        organization_id=organization_id,
        aggregate="change_feed",
        aggregate_id=organization_id,
        at=call.clock.now(),
        by=call.viewer,
    )
