"""Writing, publishing and reading guides (R30)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from google.protobuf.message import Message

from kit import audit, idempotency
from kit.auth import Viewer
from kit.db import Connection
from kit.errors import Conflict, Denied, NotFound
from kit.ids import new_id
from kit.outbox import record
from kit.service import Call
from proto.reporting.v1.events_pb2 import GuideAcknowledged, GuidePublished, GuideWithdrawn
from services.reporting import policy
from services.reporting.actions import trainings
from services.reporting.actions.peers import Peers
from services.reporting.domain.guides import (
    MAX_GUIDES,
    Asked,
    Content,
    Guide,
    GuideId,
    GuideKind,
    GuideOffices,
    GuideRole,
    GuideState,
    GuideVersion,
    clean,
    require_draft,
    require_newest,
    require_published,
)
from services.reporting.domain.nouns import OrganizationId, UserId
from services.reporting.store import asks
from services.reporting.store import guides as store


@dataclass(frozen=True, slots=True)
class GuideSeen:
    """A guide with its versions, and how the viewer stands to it: None when it is not asked of them."""

    guide: Guide
    published: GuideVersion | None
    draft: GuideVersion | None
    asked: Asked | None


# Writing --------------------------------------------------------------------------------------------------------------


async def add_guide(call: Call[Peers], kind: GuideKind, content: Content, key: str) -> GuideSeen:
    """Begin a guide as a draft. Refuses TOO_MANY_GUIDES."""
    organization_id = OrganizationId(policy.permit_practice(call.viewer))
    wanted = clean(content)
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.transaction() as tx:

        async def make() -> UUID:
            await store.hold(tx, organization_id)
            _refuse_too_many(await store.count(tx, organization_id))
            guide = Guide(GuideId(new_id()), organization_id, kind, GuideState.DRAFT, 0, 1, at)
            await store.add(tx, guide)
            await store.draft(tx, guide, wanted, by, at)
            await _write_down(tx, call.viewer, guide, "guide.added", at)
            return guide.id

        request = ("addGuide", kind, wanted)
        id_ = await idempotency.once(tx, call.viewer, key=key, request=request, at=at, make=make)
        return await _seen(tx, call.viewer, (await store.by_id(tx, organization_id, [id_]))[id_])


def _refuse_too_many(count: int) -> None:
    if count >= MAX_GUIDES:
        raise Conflict(
            f"An organization has at most {MAX_GUIDES} guides.",
            code="TOO_MANY_GUIDES",
            remedy="Withdraw those that nobody needs any more.",
        )


@dataclass(frozen=True, slots=True)
class GuideChange:
    """What of a guide is to be another; None is left as it is."""

    title: str | None = None
    text: str | None = None
    roles: tuple[GuideRole, ...] | None = None
    offices: GuideOffices | None = None

    def of(self, before: Content) -> Content:
        """The content after the change."""
        return Content(
            before.title if self.title is None else self.title,
            before.text if self.text is None else self.text,
            before.roles if self.roles is None else self.roles,
            before.offices if self.offices is None else self.offices,
        )


async def change_guide(
    call: Call[Peers], guide_id: GuideId, wanted: GuideChange, expected_version: int
) -> GuideSeen:
    """Write the draft of the next version; what is published stays until the draft is."""
    async with call.db.transaction() as tx:
        guide = await _to_change(call, tx, guide_id, expected_version)
        before = await _latest(tx, guide)
        by, at = UserId(call.viewer.require_user()), call.clock.now()
        await store.draft(tx, guide, clean(wanted.of(before.content)), by, at)
        changed = replace(guide, version=guide.version + 1)
        await store.change(tx, changed)
        await _write_down(tx, call.viewer, guide, "guide.changed", at)
        return await _seen(tx, call.viewer, changed)


async def _latest(tx: Connection, guide: Guide) -> GuideVersion:
    found = await store.versions(tx, guide.organization_id, [guide])
    return found.get((guide.id, guide.number + 1)) or found[guide.id, guide.number]


async def publish_guide(call: Call[Peers], guide_id: GuideId, expected_version: int) -> GuideSeen:
    """Publish the draft: everybody it is for is asked to read it, who read the version before as well. Refuses
    NOTHING_TO_PUBLISH."""
    async with call.db.transaction() as tx:
        guide = await _to_change(call, tx, guide_id, expected_version)
        draft = require_draft(
            await store.version(tx, guide.organization_id, guide.id, guide.number + 1)
        )
        by, at = UserId(call.viewer.require_user()), call.clock.now()
        await store.publish(tx, draft, guide.organization_id, by, at)
        changed = replace(
            guide, state=GuideState.PUBLISHED, number=draft.number, version=guide.version + 1
        )
        await store.change(tx, changed)
        fact = GuidePublished(guide_id=str(guide.id), kind=guide.kind, number=draft.number)
        await tell(tx, changed, fact, at, call.viewer)
        return await _seen(tx, call.viewer, changed)


async def withdraw_guide(call: Call[Peers], guide_id: GuideId, expected_version: int) -> GuideSeen:
    """Ask nobody to read it any more, and cancel the trainings by it. What was read stays known; publishing a next version brings it back. Refuses
    GUIDE_NOT_PUBLISHED."""
    async with call.db.transaction() as tx:
        guide = await _to_change(call, tx, guide_id, expected_version)
        require_published(guide)
        changed = replace(guide, state=GuideState.WITHDRAWN, version=guide.version + 1)
        await store.change(tx, changed)
        await asks.forget(tx, guide)
        at = call.clock.now()
        await tell(tx, changed, GuideWithdrawn(guide_id=str(guide.id)), at, call.viewer)
        await trainings.guide_withdrawn(tx, guide, at, call.viewer)
        return await _seen(tx, call.viewer, changed)


async def _to_change(
    call: Call[Peers], tx: Connection, guide_id: GuideId, expected_version: int
) -> Guide:
    organization_id = OrganizationId(call.viewer.require_organization())
    guide = await store.locked(tx, organization_id, guide_id)
    if guide is None:
        raise no_such_guide()
    policy.permit_practice(call.viewer)
    guide.require_version(expected_version)
    return guide


def no_such_guide() -> NotFound:
    """The refusal of a guide that is not there, or not the viewer's to know."""
    return NotFound("There is no such guide.", field="guideId")


# Reading --------------------------------------------------------------------------------------------------------------


async def acknowledge_guide(call: Call[Peers], guide_id: GuideId, number: int) -> GuideSeen:
    """Say that the published version was read. Saying it again changes nothing. Refuses NEWER_VERSION, GUIDE_NOT_PUBLISHED; who is
    not asked to read it is Denied."""
    organization_id = OrganizationId(call.viewer.require_organization())
    by, at = UserId(call.viewer.require_user()), call.clock.now()
    async with call.db.transaction() as tx:
        guide = await store.locked(tx, organization_id, guide_id)
        if guide is None:
            raise no_such_guide()
        seen = await _seen(tx, call.viewer, guide)
        if seen.asked is None or not policy.may_read_guide(call.viewer, guide, asked=True):
            raise not_asked()
        require_newest(guide, number)
        if await store.acknowledge(tx, guide, by, at):
            fact = GuideAcknowledged(guide_id=str(guide.id), number=number, user_id=str(by))
            await tell(tx, guide, fact, at, call.viewer)
            await trainings.guide_read(tx, guide, by, at, call.viewer)
        return await _seen(tx, call.viewer, guide)


def not_asked() -> Denied:
    """The refusal of a guide that is not asked of the viewer."""
    return Denied(
        "This guide is not for the work that you do.", remedy="myGuides lists those that are."
    )


async def my_guides(call: Call[Peers], *, unread_only: bool) -> list[GuideSeen]:
    """The guides that the viewer is asked to read (R30)."""
    organization_id = OrganizationId(call.viewer.require_organization())
    user_id = call.viewer.require_user()
    async with call.db.reading() as tx:
        asked = await store.asked(tx, organization_id, [user_id])
        wanted = [one.guide_id for one in asked if one.unread or not unread_only]
        found = await store.by_id(tx, organization_id, wanted)
        return await seen(tx, call.viewer, [found[one] for one in wanted])


async def guides_by_id(call: Call[Peers], ids: Sequence[GuideId]) -> list[GuideSeen | None]:
    """Guides the viewer may read, in the order of their ids; None for one that is not there, or not the viewer's to know."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        found = await store.by_id(tx, organization_id, ids)
        shown = {
            one.guide.id: one
            for one in await seen(tx, call.viewer, list(found.values()))
            if policy.may_read_guide(call.viewer, one.guide, asked=one.asked is not None)
        }
    return [shown.get(id_) for id_ in ids]


async def guides(
    call: Call[Peers], state: GuideState | None, after: UUID | None, limit: int
) -> list[GuideSeen]:
    """Every guide of the organization, of one state or of any: for client admins."""
    organization_id = OrganizationId(policy.permit_looking_on(call.viewer))
    async with call.db.reading() as tx:
        found = await store.page(tx, organization_id, state, after, limit)
        return await seen(tx, call.viewer, found)


async def readers(call: Call[Peers], guide_ids: Sequence[GuideId]) -> list[list[Asked]]:
    """Who is asked to read each guide: for client admins; nobody is named to others."""
    organization_id = OrganizationId(call.viewer.require_organization())
    if not policy.looks_on(call.viewer, organization_id):
        return [[] for _ in guide_ids]
    async with call.db.reading() as tx:
        found = await store.readers(tx, organization_id, guide_ids)
    return [[one for one in found if one.guide_id == id_] for id_ in guide_ids]


async def seen(tx: Connection, viewer: Viewer, found: Sequence[Guide]) -> list[GuideSeen]:
    """The guides with their versions, as the viewer stands to them; a draft is for client admins."""
    organization_id = OrganizationId(viewer.require_organization())
    versions = await store.versions(tx, organization_id, found)
    own = await store.asked(tx, organization_id, [viewer.require_user()])
    asked = {one.guide_id: one for one in own}
    drafts = policy.looks_on(viewer, organization_id)
    return [
        GuideSeen(
            guide,
            versions.get((guide.id, guide.number)),
            versions.get((guide.id, guide.number + 1)) if drafts else None,
            asked.get(guide.id),
        )
        for guide in found
    ]


async def _seen(tx: Connection, viewer: Viewer, guide: Guide) -> GuideSeen:
    (found,) = await seen(tx, viewer, [guide])
    return found


# Telling --------------------------------------------------------------------------------------------------------------


async def tell(tx: Connection, guide: Guide, fact: Message, at: datetime, by: Viewer) -> None:
    """Record a fact about a guide."""
    await record(
        tx,
        fact,
        organization_id=guide.organization_id,
        aggregate="guide",
        aggregate_id=guide.id,
        at=at,
        by=by,
    )


async def _write_down(tx: Connection, by: Viewer, guide: Guide, act: str, at: datetime) -> None:
    """The audit entry of what is nobody else's to hear: a draft."""
    await audit.record(
        tx, by, act=act, kind="guide", about=guide.id, organization_id=guide.organization_id, at=at
    )
