"""Rules of campaigns: at the start of each year, and on a major change, somebody says of every provider at every office that
what is listed there is true (R29)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import NewType, TypeVar
from uuid import UUID

from kit.errors import Conflict, Invalid
from services.insurance.domain.nouns import (
    OfficeId,
    OrganizationId,
    Participation,
    PayerId,
    PlanId,
    ProviderId,
    UserId,
)

CampaignId = NewType("CampaignId", UUID)
ItemId = NewType("ItemId", UUID)
IdT = TypeVar("IdT", bound=UUID)
WantedT = TypeVar("WantedT")

MAJOR_CHANGE_TAKES = timedelta(days=30)
LATE_START_TAKES = timedelta(days=14)
REMIND_EVERY = timedelta(days=7)
MAX_REASON = 500
MAX_SCOPE = 100
MAX_ATTESTED = 50
"""Items that one call may attest."""


class CampaignKind(StrEnum):
    """Of everything at the start of a year, or of what a major change touches."""

    YEAR_START = "YEAR_START"
    MAJOR_CHANGE = "MAJOR_CHANGE"


class ItemState(StrEnum):
    """Not looked at yet; attested by somebody; or dropped, because the provider works there no more."""

    OPEN = "OPEN"
    ATTESTED = "ATTESTED"
    DROPPED = "DROPPED"


class Closing(StrEnum):
    """Why a campaign is over: no item is open, somebody called it off, or the next year's has begun."""

    DONE = "DONE"
    CALLED_OFF = "CALLED_OFF"
    SUPERSEDED = "SUPERSEDED"


class AnsweringRole(StrEnum):
    """Who answers for an organization's insurance data."""

    CLIENT_ADMIN = "CLIENT_ADMIN"
    INSURANCE_MANAGER = "INSURANCE_MANAGER"


@dataclass(frozen=True, slots=True)
class Answering:
    """By what somebody answers for insurance data: a role, in the whole organization or (an insurance manager's) at one office."""

    role: AnsweringRole
    office_id: OfficeId | None = None

    @property
    def does_campaigns(self) -> bool:
        """Whether campaigns are assigned by it: they are of the whole organization, and so is who does them."""
        return self.role is AnsweringRole.INSURANCE_MANAGER and self.office_id is None


class CampaignAction(StrEnum):
    """What a viewer may do to a campaign."""

    ASSIGN = "ASSIGN"
    CALL_OFF = "CALL_OFF"


class ItemAction(StrEnum):
    """What a viewer may do to an item of a campaign."""

    ATTEST = "ATTEST"


class Step(StrEnum):
    """What is due in a campaign today."""

    REMIND = "REMIND"
    ESCALATE = "ESCALATE"
    CLOSE = "CLOSE"


@dataclass(frozen=True, slots=True)
class Campaign:
    """A review of what is accepted where. `year` is that of a year's start; a major change has a reason instead, and a scope."""

    id: CampaignId
    organization_id: OrganizationId
    year: int | None
    reason: str | None
    payer_ids: tuple[PayerId, ...]
    plan_ids: tuple[PlanId, ...]
    opened_at: datetime
    opened_on: date
    opened_by: UserId | None
    due_on: date
    assigned_to: UserId | None
    reminded_on: date | None = None
    escalated_on: date | None = None
    closed_at: datetime | None = None
    closed_because: Closing | None = None
    version: int = 1

    @property
    def kind(self) -> CampaignKind:
        """What it reviews."""
        return CampaignKind.MAJOR_CHANGE if self.year is None else CampaignKind.YEAR_START


@dataclass(frozen=True, slots=True)
class Item:
    """One provider at one office, within a campaign."""

    id: ItemId
    campaign_id: CampaignId
    organization_id: OrganizationId
    provider_id: ProviderId
    office_id: OfficeId
    state: ItemState
    opened_at: datetime
    settled_at: datetime | None
    settled_by: UserId | None
    version: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is."""

    open: int = 0
    attested: int = 0
    dropped: int = 0


def year_due(now: datetime, zone: tzinfo, added_at: datetime, opened: int | None) -> int | None:
    """The year whose campaign is to be opened now, if one is: from the organization's own 1 January on, when it was there on
    that day and the campaign of that year (`opened` is the latest one's) is not open yet."""
    today = now.astimezone(zone).date()
    joined = added_at.astimezone(zone).date()
    if joined >= date(today.year, 1, 1) or (opened is not None and opened >= today.year):
        return None
    return today.year


def year_start_due_on(opened_on: date) -> date:
    """31 January; or two weeks after the opening, when it was opened too late for that."""
    return max(date(opened_on.year, 1, 31), opened_on + LATE_START_TAKES)


def steps(campaign: Campaign, open_items: int, today: date) -> tuple[Step, ...]:
    """What is due today. Nothing open at the end: it closes. Something open: client admins are told once; before that, and
    after it, whoever does the campaign is reminded every week."""
    if campaign.closed_at is not None:
        return ()
    if today >= campaign.due_on and open_items == 0:
        return (Step.CLOSE,)
    if open_items == 0:
        return ()
    if today >= campaign.due_on and campaign.escalated_on is None:
        return (Step.ESCALATE,)
    last = max(
        day for day in (campaign.opened_on, campaign.reminded_on, campaign.escalated_on) if day
    )
    return (Step.REMIND,) if today >= last + REMIND_EVERY else ()


def assignee(managers: Iterable[tuple[UserId, datetime]]) -> UserId | None:
    """Who does a campaign: the insurance manager who has been one the longest; None leaves it to the client admins."""
    return min(managers, key=lambda one: (one[1], one[0]), default=(None, None))[0]


def week_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class MajorChange:
    """What somebody declares: what has changed, and which payers or plans it touches."""

    reason: str
    payer_ids: tuple[PayerId, ...]
    plan_ids: tuple[PlanId, ...]


def clean_change(wanted: MajorChange) -> MajorChange:
    """A reason of 1 to 500 characters, and 1 to 100 payers and plans, each once."""
    reason = " ".join(wanted.reason.split())
    if not 1 <= len(reason) <= MAX_REASON:
        raise Invalid(f"A reason has 1 to {MAX_REASON} characters.", field="reason")
    payers, plans = _once(wanted.payer_ids), _once(wanted.plan_ids)
    if not 1 <= len(payers) + len(plans) <= MAX_SCOPE:
        raise Invalid(
            f"Name 1 to {MAX_SCOPE} payers and plans.",
            field="planIds",
            remedy="A review of everything is that of the year's start.",
        )
    return MajorChange(reason, payers, plans)


def _once(ids: tuple[IdT, ...]) -> tuple[IdT, ...]:
    return tuple(sorted(set(ids)))


def clean_attested(
    wanted: Sequence[WantedT], item_id: Callable[[WantedT], ItemId]
) -> Sequence[WantedT]:
    """The items of one call: at least one, at most 50, none twice."""
    if not 1 <= len(wanted) <= MAX_ATTESTED:
        raise Invalid(
            f"Give 1 to {MAX_ATTESTED} items.",
            field="items",
            remedy="Split a longer list over several calls.",
        )
    if len({item_id(one) for one in wanted}) != len(wanted):
        raise Invalid(
            "An item is in the list twice.",
            code="DUPLICATE",
            field="items",
            remedy="Name each item once.",
        )
    return wanted


def seen(rows: Sequence[Participation]) -> list[tuple[UUID, date | None]]:
    """Of the rows of an item, what an attestation is about: which there are, and until when. That one was verified in between
    takes nothing from it."""
    return sorted(((row.id, row.effective_until) for row in rows), key=lambda one: one[0])


def refuse_settled(campaign: Campaign, item: Item) -> None:
    """Conflict CAMPAIGN_CLOSED or ITEM_SETTLED when there is nothing left to attest."""
    refuse_closed(campaign)
    if item.state is not ItemState.OPEN:
        raise Conflict(
            "This item is settled already.",
            code="ITEM_SETTLED",
            field="itemId",
            remedy="Change single participations instead.",
        )


def refuse_closed(campaign: Campaign) -> None:
    """Conflict CAMPAIGN_CLOSED."""
    if campaign.closed_at is not None:
        raise Conflict("The campaign is over.", code="CAMPAIGN_CLOSED", field="campaignId")
