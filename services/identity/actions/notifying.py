"""Mail about work: who is told of a fact, and the mail that gathers what waits for somebody. What people choose themselves."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from kit import audit
from kit.db import Connection
from kit.each import each
from kit.errors import Unavailable
from kit.inbox import Heard
from services.identity import store
from services.identity.actions.means import Call
from services.identity.actions.tidying import forget_all
from services.identity.actions.told import write_letter
from services.identity.domain import LetterKind, OfficeId, Organization, OrganizationId, UserId
from services.identity.domain import notices as domain
from services.identity.domain.notice_words import lines, words
from services.identity.domain.notices import (
    KINDS,
    Delivery,
    KnownGroup,
    Mail,
    News,
    NoticeKind,
    Place,
    Preference,
    Topic,
    Waiting,
)
from services.identity.policy.notices import is_told, permit_notices, reads_reports, roles_told
from services.identity.store import notices as rows

log = logging.getLogger(__name__)

KEPT = timedelta(days=14)
"""How long a settled notice is remembered: far longer than a fact is news."""

LETTERS_KEPT = timedelta(days=35)
"""How long it is remembered that a letter left that only told something. Its text is forgotten when it leaves."""

MOST_MAILS = 500
"""Mails made up before the next are looked for."""


# Hearing --------------------------------------------------------------------------------------------------------------


async def note(tx: Connection, heard: Heard, news: News, now: datetime) -> None:
    """Let a notice wait for everybody whom the news concerns and who wants to be told. Old facts are no news."""
    if not domain.is_news(heard.time, now):
        return
    here, kind = OrganizationId(heard.organization_id), KINDS[news.topic]
    wanted = [
        (one, one.chosen or domain.by_default(kind)) for one in await _concerned(tx, here, news)
    ]
    entries = [
        rows.Entry(one.member.user_id, delivery, domain.due(delivery, now, ZoneInfo(one.time_zone)))
        for one, delivery in wanted
        if delivery is not Delivery.OFF
    ]
    if entries:
        await rows.note(tx, here, heard.event_id, news, entries, now)


async def withdraw(
    tx: Connection,
    heard: Heard,
    topics: Iterable[Topic],
    now: datetime,
    *,
    user_id: UserId | None = None,
) -> None:
    """What waits about the fact's own thing has been dealt with meanwhile: no mail tells of it any more, or just that user."""
    here = OrganizationId(heard.organization_id)
    await rows.withdraw(tx, here, heard.aggregate_id, list(topics), now, user_id)


async def withdraw_from_provider(
    tx: Connection, heard: Heard, provider_id: UUID, now: datetime
) -> None:
    """What waits about the fact's own thing for the user who is that provider is no longer theirs."""
    here = OrganizationId(heard.organization_id)
    await rows.withdraw_from_provider(tx, here, heard.aggregate_id, provider_id, now)


async def _concerned(tx: Connection, here: OrganizationId, news: News) -> list[rows.Addressee]:
    place = Place(news.office_id, await _group(tx, here, news.group_id), news.provider_id)
    offices = {place.office_id} if place.office_id else set[UUID]()
    staff = frozenset[UserId]()
    if place.group:
        offices |= place.group.office_ids
        staff = place.group.staff
    providers = {news.provider_id} if news.provider_id else set[UUID]()
    ids = staff | (news.only or frozenset())
    around = rows.Around(ids, offices, roles_told(news.topic), providers)
    return [
        one
        for one in await rows.addressees(tx, here, KINDS[news.topic], around)
        if (news.only is None or one.member.user_id in news.only)
        and is_told(news.topic, one.member, place)
    ]


def _place(one: Waiting, group: KnownGroup | None) -> Place:
    return Place(one.office_id, group, one.provider_id)


async def _group(tx: Connection, here: OrganizationId, group_id: UUID | None) -> KnownGroup | None:
    return await rows.group(tx, here, group_id) if group_id else None


async def other_report_readers(tx: Connection, here: OrganizationId, user_id: UserId) -> int | None:
    """How many others are told of all of the organization's progress reports; None for somebody who is told of none."""
    around = rows.Around(ids=[user_id], roles=roles_told(Topic.REPORT))
    told = {
        one.member.user_id
        for one in await rows.addressees(tx, here, NoticeKind.REPORTS, around)
        if reads_reports(one.member) and one.chosen is not Delivery.OFF
    }
    return len(told - {user_id}) if user_id in told else None


# Making up the mail ---------------------------------------------------------------------------------------------------


async def mail_notices(call: Call) -> None:
    """The job: every mail whose time has come, each in a transaction of its own; one that cannot be made up keeps no other waiting. While
    directory, which knows the offices' names, is away, mail that names offices waits."""
    more = True
    while more:
        async with call.db.reading() as tx:
            mails = await rows.due_mails(tx, call.clock.now(), MOST_MAILS)
        more = await _round(call, mails) and len(mails) == MOST_MAILS


async def _round(call: Call, mails: list[Mail]) -> bool:
    """Those mails, organization by organization. Whether any could be made up."""
    made = list[bool]()

    async def there(here: OrganizationId) -> None:
        made.append(await _mail_there(call, here, mails))

    await each(sorted({one.organization_id for one in mails}), there)
    return any(made)


async def _mail_there(call: Call, here: OrganizationId, mails: list[Mail]) -> bool:
    """Those mails that are of one organization. Whether any could be made up."""
    theirs = [one for one in mails if one.organization_id == here]
    async with call.db.reading() as tx:
        organization = await store.organization(tx, here)
        offices = await rows.offices_of(tx, here, [one.user_id for one in theirs])
    if organization is None:
        raise LookupError("a notice of an organization nobody opened")
    try:
        names = await call.peers.directory.office_names(here, map(OfficeId, offices))
    except Unavailable as refusal:
        log.warning("mail about work waits", extra={"because": refusal.code})
        return False
    made = list[bool]()

    async def mail(one: Mail) -> None:
        made.append(await _mail(call, organization, one, names))

    await each(theirs, mail)
    return any(made)


async def _mail(call: Call, organization: Organization, mail: Mail, names: dict[UUID, str]) -> bool:
    async with call.db.transaction() as tx:
        now = call.clock.now()
        taken = await rows.take(tx, organization.id, mail, now)
        if not any(one.due_at <= now for one in taken):
            return False
        wanted = await _still_wanted(tx, organization.id, mail.user_id, taken)
        if wanted:
            said, link = lines(wanted, names), call.peers.post.public_url
            told = words(organization.name, mail.delivery, said, link)
            await write_letter(call, tx, LetterKind.NOTICE, mail.user_id, told)
        await rows.settle(tx, organization.id, taken, wanted, now)
    return True


async def _still_wanted(
    tx: Connection, here: OrganizationId, user_id: UserId, taken: list[Waiting]
) -> list[Waiting]:
    """Those that are still theirs to know, by what they are granted now, and that they have not switched off since."""
    found = await rows.addressees(tx, here, KINDS[taken[0].topic], rows.Around([user_id]))
    if not found:
        return []
    member, chosen = found[0].member, await rows.choices(tx, here, [user_id])
    groups = {one: await _group(tx, here, one) for one in {each.group_id for each in taken}}
    return [
        one
        for one in taken
        if chosen.get((user_id, KINDS[one.topic])) is not Delivery.OFF
        and is_told(one.topic, member, _place(one, groups.get(one.group_id)))
    ]


async def forget_notices(call: Call) -> None:
    """The job: drop what was settled long ago, and letters that only told something."""
    now = call.clock.now()
    await forget_all(call, rows.forget, now - KEPT)
    await forget_all(call, rows.forget_letters, now - LETTERS_KEPT)


# Choosing -------------------------------------------------------------------------------------------------------------


async def notice_preferences(call: Call) -> list[Preference]:
    """How the viewer is told of each kind, in the organization they are signed in to."""
    here, user_id = permit_notices(call.viewer)
    async with call.db.reading() as tx:
        return await _preferences(tx, here, user_id)


async def change_notice_preference(
    call: Call, kind: NoticeKind, delivery: Delivery
) -> list[Preference]:
    """Let the viewer be told of a kind in another way from now on; OFF holds for what waits, too. Conflict NOTICE_NOT_OPTIONAL for what
    is always mailed."""
    here, user_id = permit_notices(call.viewer)
    domain.require_optional(kind)
    async with call.db.transaction() as tx:
        now = call.clock.now()
        await rows.choose(tx, here, user_id, kind, delivery, now)
        await audit.record(
            tx,
            call.viewer,
            act="user.notice_preference_changed",
            kind="user",
            about=user_id,
            organization_id=here,
            at=now,
        )
        return await _preferences(tx, here, user_id)


async def _preferences(tx: Connection, here: OrganizationId, user_id: UserId) -> list[Preference]:
    chosen = await rows.choices(tx, here, [user_id])
    return domain.preferences({kind: delivery for (_, kind), delivery in chosen.items()})
