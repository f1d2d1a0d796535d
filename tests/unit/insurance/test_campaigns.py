"""When campaigns are due, whom they are for, and what they say."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict, Invalid, Refusal
from services.insurance import domain
from services.insurance.domain import (
    Campaign,
    CampaignId,
    CampaignKind,
    Closing,
    Item,
    ItemId,
    ItemState,
    MajorChange,
    OfficeId,
    OrganizationId,
    PayerId,
    PlanId,
    ProviderId,
    Step,
    UserId,
)
from tests.unit.insurance.builders import row

LONG_AGO = datetime(2020, 6, 1, tzinfo=UTC)
ZONES = st.sampled_from(
    ["Pacific/Kiritimati", "Asia/Kolkata", "UTC", "America/New_York", "Pacific/Pago_Pago"]
)


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Pacific/Kiritimati", datetime(2027, 12, 31, 10, tzinfo=UTC)),
        ("Asia/Kathmandu", datetime(2027, 12, 31, 18, 15, tzinfo=UTC)),
        ("UTC", datetime(2028, 1, 1, tzinfo=UTC)),
        ("America/New_York", datetime(2028, 1, 1, 5, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2027, 12, 31, 13, tzinfo=UTC)),
        ("Pacific/Pago_Pago", datetime(2028, 1, 1, 11, tzinfo=UTC)),
    ],
)
def test_a_year_begins_at_the_organizations_own_midnight(zone: str, midnight: datetime) -> None:
    """R29: daylight saving (Sydney has it in January) and odd offsets included."""
    there = ZoneInfo(zone)
    before = midnight - timedelta(microseconds=1)
    assert domain.year_due(midnight, there, LONG_AGO, 2027) == 2028
    assert domain.year_due(before, there, LONG_AGO, 2027) is None
    assert domain.year_due(midnight, there, LONG_AGO, 2028) is None


@pytest.mark.parametrize("months", [1, 5, 11])
def test_after_an_outage_the_campaign_of_the_year_is_opened_when_the_suite_is_back(
    months: int,
) -> None:
    """R29"""
    later = datetime(2028, 1, 1, tzinfo=UTC) + timedelta(days=30 * months)
    assert domain.year_due(later, ZoneInfo("UTC"), LONG_AGO, 2026) == 2028


def test_an_organization_that_came_in_december_has_a_campaign_and_one_that_came_in_january_waits() -> (
    None
):
    """R29"""
    utc, now = ZoneInfo("UTC"), datetime(2028, 1, 5, tzinfo=UTC)
    december, january = datetime(2027, 12, 31, 23, 59, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
    assert domain.year_due(now, utc, december, None) == 2028
    assert domain.year_due(now, utc, january, None) is None
    assert domain.year_due(datetime(2029, 1, 1, tzinfo=UTC), utc, january, None) == 2029


@given(
    ZONES,
    st.datetimes(datetime(2021, 1, 2), datetime(2060, 1, 1)),
    st.none() | st.integers(2020, 2060),
)
def test_what_is_due_is_the_year_the_organizations_calendar_shows_or_nothing(
    zone: str, now: datetime, opened: int | None
) -> None:
    """R29"""
    moment, there = now.replace(tzinfo=UTC), ZoneInfo(zone)
    due = domain.year_due(moment, there, LONG_AGO, opened)
    year = moment.astimezone(there).year
    assert due == (None if opened is not None and opened >= year else year)


@pytest.mark.parametrize(
    ("opened", "due"),
    [
        (date(2028, 1, 1), date(2028, 1, 31)),
        (date(2028, 1, 17), date(2028, 1, 31)),
        (date(2028, 1, 18), date(2028, 2, 1)),
        (date(2028, 2, 15), date(2028, 2, 29)),
    ],
)
def test_a_campaign_is_due_on_31_january_or_two_weeks_after_a_late_start(
    opened: date, due: date
) -> None:
    """R29: two weeks after 15 February of a leap year is 29 February."""
    assert domain.year_start_due_on(opened) == due


def campaign(**more: object) -> Campaign:
    facts: dict[str, object] = {
        "id": CampaignId(uuid4()),
        "organization_id": OrganizationId(uuid4()),
        "year": 2028,
        "reason": None,
        "payer_ids": (),
        "plan_ids": (),
        "opened_at": datetime(2028, 1, 1, tzinfo=UTC),
        "opened_on": date(2028, 1, 1),
        "opened_by": None,
        "due_on": date(2028, 1, 31),
        "assigned_to": None,
    }
    return Campaign(**(facts | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("today", "open_items", "more", "steps"),
    [
        (date(2028, 1, 7), 3, {}, ()),
        (date(2028, 1, 8), 3, {}, (Step.REMIND,)),
        (date(2028, 1, 8), 3, {"reminded_on": date(2028, 1, 8)}, ()),
        (date(2028, 1, 30), 3, {"reminded_on": date(2028, 1, 29)}, ()),
        (date(2028, 1, 31), 5, {}, (Step.ESCALATE,)),
        (date(2028, 1, 31), 0, {}, (Step.CLOSE,)),
        (date(2028, 1, 30), 0, {}, ()),
        (date(2028, 2, 1), 5, {"escalated_on": date(2028, 1, 31)}, ()),
        (date(2028, 2, 7), 5, {"escalated_on": date(2028, 1, 31)}, (Step.REMIND,)),
        (
            date(2028, 2, 9), 5,
            {"closed_at": datetime(2028, 2, 1, tzinfo=UTC), "closed_because": Closing.DONE}, (),
        ),
    ],
)  # fmt: skip
def test_a_campaign_reminds_weekly_escalates_once_on_the_day_it_is_due_and_closes_when_nothing_is_open(
    today: date, open_items: int, more: dict[str, object], steps: tuple[Step, ...]
) -> None:
    """R29"""
    assert domain.steps(campaign(**more), open_items, today) == steps


def test_the_insurance_manager_who_has_been_one_the_longest_does_a_campaign_or_nobody() -> None:
    """R29"""
    old, new = UserId(UUID(int=2)), UserId(UUID(int=1))
    managers = [(new, datetime(2027, 1, 1, tzinfo=UTC)), (old, LONG_AGO)]
    assert domain.assignee(managers) == old
    assert domain.assignee([]) is None


def test_a_major_change_names_a_reason_and_what_it_touches_each_once() -> None:
    """R29"""
    payer, plan = PayerId(UUID(int=1)), PlanId(UUID(int=2))
    cleaned = domain.clean_change(MajorChange("  The contract\n ended ", (payer, payer), (plan,)))
    assert cleaned == MajorChange("The contract ended", (payer,), (plan,))
    assert campaign(year=None, reason="x").kind is CampaignKind.MAJOR_CHANGE
    for reason, plans in ((" ", (plan,)), ("x" * 501, (plan,)), ("Ended", ())):
        with pytest.raises(Invalid):
            domain.clean_change(MajorChange(reason, (), plans))


def test_an_attestation_is_about_which_rows_there_are_and_until_when_and_not_about_their_versions() -> (
    None
):
    """R29"""
    first, second = row(date(2026, 1, 1)), row(date(2026, 1, 1), date(2029, 1, 1))
    assert domain.seen([first, second]) == domain.seen([second, first])
    assert domain.seen([first]) != domain.seen([first, second])


@pytest.mark.parametrize("count", [0, 51])
def test_one_call_attests_one_to_fifty_items(count: int) -> None:
    """R29"""
    with pytest.raises(Invalid):
        domain.clean_attested([ItemId(uuid4()) for _ in range(count)], lambda one: one)


def test_one_call_attests_each_item_once() -> None:
    """R29"""
    one = ItemId(uuid4())
    with pytest.raises(Invalid) as refused:
        domain.clean_attested([one, one], lambda item: item)
    assert refused.value.code == "DUPLICATE"


@pytest.mark.parametrize(
    ("over", "state", "code"),
    [
        (False, ItemState.ATTESTED, "ITEM_SETTLED"),
        (False, ItemState.DROPPED, "ITEM_SETTLED"),
        (True, ItemState.OPEN, "CAMPAIGN_CLOSED"),
    ],
)
def test_what_is_settled_or_over_is_not_attested(over: bool, state: ItemState, code: str) -> None:  # noqa: FBT001
    """R29"""
    closed = {"closed_at": LONG_AGO, "closed_because": Closing.DONE} if over else {}
    found = campaign(**closed)
    item = Item(
        ItemId(uuid4()), found.id, found.organization_id, ProviderId(uuid4()), OfficeId(uuid4()),
        state, LONG_AGO, None, None, 1,
    )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        domain.refuse_settled(found, item)
    assert isinstance(refused.value, Conflict)
    assert refused.value.code == code


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_a_week_begins_on_its_monday(day: date) -> None:
    """R26"""
    monday = domain.week_of(day)
    assert monday.weekday() == 0
    assert timedelta(0) <= day - monday < timedelta(days=7)
