"""Campaigns, as they go by themselves: opened at the start of a year, reminded of, escalated, closed; and what they follow (R29)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.auth import Viewer, service_viewer
from kit.db import Connection
from kit.each import each
from kit.ids import new_id
from services.insurance import domain, store
from services.insurance.actions.campaign_telling import (
    tell_assigned,
    tell_closed,
    tell_escalated,
    tell_manager_missing,
    tell_opened,
    tell_reminded,
)
from services.insurance.actions.participations import day_of
from services.insurance.actions.peers import Call
from services.insurance.domain import (
    Answering,
    AnsweringRole,
    Campaign,
    CampaignId,
    Closing,
    Item,
    ItemId,
    ItemState,
    OfficeId,
    OrganizationId,
    ProviderId,
    Step,
    UserId,
)
from services.insurance.store import Calendar

_SELF = service_viewer("insurance")


async def open_year_starts(call: Call) -> None:
    """The job: open the campaign of the year wherever it is due. Two replicas, or two runs, open one."""
    now = call.clock.now()
    async with call.db.reading() as tx:
        calendars = await store.calendars(tx, now.year + 1)

    async def open_one(one: Calendar) -> None:
        year = domain.year_due(now, ZoneInfo(one.time_zone), one.added_at, one.opened)
        if year is not None:
            async with call.db.transaction() as tx:
                await _open_year(tx, one, year, now)

    await each(calendars, open_one)


async def _open_year(tx: Connection, calendar: Calendar, year: int, now: datetime) -> None:
    organization_id = calendar.organization_id
    today = now.astimezone(ZoneInfo(calendar.time_zone)).date()
    managers = await store.holders(tx, organization_id, AnsweringRole.INSURANCE_MANAGER)
    campaign = Campaign(
        id=CampaignId(new_id()),
        organization_id=organization_id,
        year=year,
        reason=None,
        payer_ids=(),
        plan_ids=(),
        opened_at=now,
        opened_on=today,
        opened_by=None,
        due_on=domain.year_start_due_on(today),
        assigned_to=domain.assignee(managers),
    )
    await open_campaign(tx, campaign, _SELF)


async def open_campaign(tx: Connection, campaign: Campaign, by: Viewer) -> int | None:
    """Keep a campaign with its items; answers how many. None when the year has one already, and 0 only for that of a year's start:
    a major change that touches nothing is for the caller to refuse. Campaigns of earlier years end with it."""
    await store.hold_campaigns(tx, campaign.organization_id)
    if not await store.add_campaign(tx, campaign):
        return None
    for earlier in await store.open_campaigns(tx, campaign.organization_id):
        if campaign.year is not None and earlier.year is not None and earlier.year < campaign.year:
            await close(tx, earlier, Closing.SUPERSEDED, campaign.opened_at, by)
    places = await _places(tx, campaign)
    items = [_item(campaign, provider, office, campaign.opened_at) for provider, office in places]
    await store.open_items(tx, items)
    managers = await store.managers_of_open_items(tx, campaign.organization_id, campaign.id)
    await tell_opened(tx, campaign, len(items), managers, by)
    await tell_assigned(tx, campaign, campaign.opened_at, by)
    return len(items)


async def _places(tx: Connection, campaign: Campaign) -> Sequence[tuple[ProviderId, OfficeId]]:
    """Every provider at every office until the campaign is due, whatever is listed there; of a major change those where it
    touches something."""
    organization_id = campaign.organization_id
    if campaign.year is None:
        return await store.places_in_scope(tx, organization_id, campaign.id, campaign.opened_on)
    return await store.places_working(tx, organization_id, campaign.opened_on, campaign.due_on)


def _item(campaign: Campaign, provider_id: ProviderId, office_id: OfficeId, at: datetime) -> Item:
    return Item(
        id=ItemId(new_id()),
        campaign_id=campaign.id,
        organization_id=campaign.organization_id,
        provider_id=provider_id,
        office_id=office_id,
        state=ItemState.OPEN,
        opened_at=at,
        settled_at=None,
        settled_by=None,
        version=1,
    )


async def close(
    tx: Connection, campaign: Campaign, because: Closing, at: datetime, by: Viewer
) -> Campaign:
    """The campaign, which is locked, is over."""
    closed = replace(campaign, closed_at=at, closed_because=because)
    await store.change_campaign(tx, closed)
    closed = replace(closed, version=campaign.version + 1)
    await tell_closed(tx, closed, at, by)
    return closed


async def close_if_done(tx: Connection, campaign: Campaign, at: datetime, by: Viewer) -> Campaign:
    """The campaign, which is locked, is over when its last item was settled; one that never had any waits until it is due.
    Answers it as it is then."""
    progress = await _progress(tx, campaign)
    settled = progress.attested + progress.dropped
    if progress.open == 0 and settled and campaign.closed_at is None:
        return await close(tx, campaign, Closing.DONE, at, by)
    return campaign


async def _progress(tx: Connection, campaign: Campaign) -> domain.Progress:
    found = await store.progress(tx, campaign.organization_id, [campaign.id], None)
    return found.get(campaign.id, domain.Progress())


# Day by day -----------------------------------------------------------------------------------------------------------


async def tend_campaigns(call: Call) -> None:
    """The job: drop the items of those who have left, remind whoever does a campaign, tell client admins what is late, close what
    is done. Each step is taken once a day at the most, however often it runs."""
    async with call.db.reading() as tx:
        organizations = await store.organizations_with_open_campaigns(tx)

    async def tend_one(organization_id: OrganizationId) -> None:
        async with call.db.transaction() as tx:
            await _tend(tx, organization_id, call.clock.now())

    await each(organizations, tend_one)


async def _tend(tx: Connection, organization_id: OrganizationId, now: datetime) -> None:
    await store.hold_campaigns(tx, organization_id)
    today = await day_of(tx, organization_id, now)
    dropped = await _drop(tx, organization_id, now, today)
    for found in await store.open_campaigns(tx, organization_id):
        campaign = await close_if_done(tx, found, now, _SELF) if dropped else found
        progress = await _progress(tx, campaign)
        for step in domain.steps(campaign, progress.open, today):
            await _take(tx, campaign, step, progress.open, now, today)


async def _take(
    tx: Connection, campaign: Campaign, step: Step, open_items: int, now: datetime, today: date
) -> None:
    if step is Step.CLOSE:
        await close(tx, campaign, Closing.DONE, now, _SELF)
    elif step is Step.ESCALATE:
        admins = await _holders(tx, campaign.organization_id, AnsweringRole.CLIENT_ADMIN)
        await store.change_campaign(tx, replace(campaign, escalated_on=today))
        await tell_escalated(tx, campaign, open_items, admins, now, _SELF)
    else:
        users = await _who_does(tx, campaign)
        await store.change_campaign(tx, replace(campaign, reminded_on=today))
        await tell_reminded(tx, campaign, open_items, users, now, _SELF)


async def _who_does(tx: Connection, campaign: Campaign) -> list[UserId]:
    """Whose campaign it is, or else the client admins; and the insurance managers of offices at which something is open (R26)."""
    here = campaign.organization_id
    users = [campaign.assigned_to] if campaign.assigned_to else await _holders(
        tx, here, AnsweringRole.CLIENT_ADMIN
    )  # fmt: skip
    return list(dict.fromkeys([*users, *await store.managers_of_open_items(tx, here, campaign.id)]))


async def _holders(
    tx: Connection, organization_id: OrganizationId, role: AnsweringRole
) -> list[UserId]:
    return [user_id for user_id, _ in await store.holders(tx, organization_id, role)]


async def remind_of_manager(call: Call) -> None:
    """The job: tell client admins, once a week, that plans are listed where nobody is insurance manager (R26)."""
    now = call.clock.now()
    async with call.db.reading() as tx:
        organizations = await store.organizations_without_manager(tx, now.date())

    async def remind_one(organization_id: OrganizationId) -> None:
        async with call.db.transaction() as tx:
            today = await day_of(tx, organization_id, now)
            if await store.note_reminder(tx, organization_id, domain.week_of(today)):
                admins = await _holders(tx, organization_id, AnsweringRole.CLIENT_ADMIN)
                await tell_manager_missing(tx, organization_id, admins, now, _SELF)

    await each(organizations, remind_one)


# What campaigns follow ------------------------------------------------------------------------------------------------


async def somebody_placed(
    tx: Connection, organization_id: OrganizationId, place: domain.Place, at: datetime
) -> None:
    """A provider who comes to an office during a year-start campaign gets an item."""
    await store.hold_campaigns(tx, organization_id)
    today = await day_of(tx, organization_id, at)
    for campaign in await store.open_campaigns(tx, organization_id):
        if campaign.year is not None:
            until = max(campaign.due_on, today)
            places = await store.places_working(tx, organization_id, today, until)
            if (place.provider_id, place.office_id) in places:
                await _open_item(tx, campaign, place, at)


async def _open_item(tx: Connection, campaign: Campaign, place: domain.Place, at: datetime) -> None:
    if place.provider_id is not None and place.office_id is not None:
        item = _item(campaign, place.provider_id, place.office_id, at)
        await store.open_items(tx, [item])


async def somebody_left(tx: Connection, organization_id: OrganizationId, at: datetime) -> None:
    """The open items of providers who work at an office no more are dropped; a campaign without open ones is done."""
    await store.hold_campaigns(tx, organization_id)
    today = await day_of(tx, organization_id, at)
    if await _drop(tx, organization_id, at, today):
        for campaign in await store.open_campaigns(tx, organization_id):
            await close_if_done(tx, campaign, at, _SELF)


async def _drop(tx: Connection, organization_id: OrganizationId, at: datetime, today: date) -> int:
    return await store.drop_items(tx, organization_id, at, today)


async def role_granted(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    answering: Answering,
    at: datetime,
) -> None:
    """Somebody answers for insurance data from now on; an insurance manager of the whole organization takes over the campaigns that
    nobody does."""
    await store.keep_holder(tx, organization_id, user_id, answering, at)
    if answering.does_campaigns:
        await _assign_anew(tx, organization_id, None, at)


async def role_lost(
    tx: Connection,
    organization_id: OrganizationId,
    user_id: UserId,
    answering: Answering | None,
    at: datetime,
) -> None:
    """Somebody has the role (None: any role) no more; the campaigns they do go to another insurance manager of the whole
    organization, or to the client admins when there is none."""
    await store.forget_holder(tx, organization_id, user_id, answering)
    if answering is None or answering.does_campaigns:
        await _assign_anew(tx, organization_id, user_id, at)


async def _assign_anew(
    tx: Connection, organization_id: OrganizationId, was: UUID | None, at: datetime
) -> None:
    await store.hold_campaigns(tx, organization_id)
    managers = await store.holders(tx, organization_id, AnsweringRole.INSURANCE_MANAGER)
    for campaign in await store.open_campaigns(tx, organization_id):
        if campaign.assigned_to == was:
            changed = replace(campaign, assigned_to=domain.assignee(managers))
            if changed.assigned_to != was:
                await store.change_campaign(tx, changed)
                await tell_assigned(tx, changed, at, _SELF)
