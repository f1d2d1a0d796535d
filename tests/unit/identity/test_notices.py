"""Mail about work: when it leaves, what may be chosen, who is told, and the words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Conflict
from services.identity.domain import Role, UserId, letters
from services.identity.domain.notice_words import MOST_LINES, Line, lines, words
from services.identity.domain.notices import (
    FIXED,
    KINDS,
    RECEIVING,
    SENDING,
    Delivery,
    KnownGroup,
    Member,
    NoticeKind,
    Place,
    Topic,
    Waiting,
    by_default,
    due,
    is_news,
    next_digest,
    preferences,
    require_optional,
)
from services.identity.policy.notices import is_told, roles_told
from tests.unit.identity.builders import NOW
from tests.unit.identity.test_letters import ENVELOPE

NEW_YORK, SYDNEY = ZoneInfo("America/New_York"), ZoneInfo("Australia/Sydney")
HERE, THERE = UUID(int=11), UUID(int=12)
LINK = "https://suite.example"
ZONES = [
    "America/New_York",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Honolulu",
    "UTC",
]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def member(*grants: tuple[Role, UUID | None]) -> Member:
    return Member(UserId(uuid4()), frozenset(grants))


def waiting(topic: Topic, office: UUID | None = None, subject: UUID | None = None) -> Waiting:
    return Waiting(uuid4(), topic, subject or uuid4(), office, None, NOW)


# When -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "zone", "wanted"),
    [
        ("2026-11-20T11:59:59", NEW_YORK, "2026-11-20T12:00:00"),
        ("2026-11-20T12:00:00", NEW_YORK, "2026-11-21T12:00:00"),
        ("2027-03-13T13:00:00", NEW_YORK, "2027-03-14T11:00:00"),
        ("2026-10-31T13:00:00", NEW_YORK, "2026-11-01T12:00:00"),
        ("2026-11-20T20:30:00", SYDNEY, "2026-11-21T20:00:00"),
        ("2028-02-28T13:00:00", NEW_YORK, "2028-02-29T12:00:00"),
    ],
    ids=["a second before", "at seven", "into summer", "into winter", "far east", "leap day"],
)
def test_the_digest_leaves_at_seven_where_the_organization_is(
    now: str, zone: ZoneInfo, wanted: str
) -> None:
    assert next_digest(at(now), zone) == at(wanted)
    assert due(Delivery.DAILY_DIGEST, at(now), zone) == at(wanted)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1)),
    st.sampled_from(ZONES),
)
def test_whenever_something_happens_the_digest_is_the_next_seven_o_clock(
    moment: datetime, name: str
) -> None:
    now, zone = moment.replace(tzinfo=UTC), ZoneInfo(name)
    leaves = next_digest(now, zone)

    assert now < leaves <= now + timedelta(hours=25)
    assert (leaves.astimezone(zone).hour, leaves.astimezone(zone).minute) == (7, 0)


def test_what_is_told_at_once_waits_five_minutes_for_more() -> None:
    assert due(Delivery.AT_ONCE, NOW, NEW_YORK) == NOW + timedelta(minutes=5)


def test_a_fact_is_news_for_a_day() -> None:
    assert is_news(NOW - timedelta(hours=23, minutes=59), NOW)
    assert is_news(NOW + timedelta(seconds=3), NOW)
    assert not is_news(NOW - timedelta(hours=24), NOW)


# What may be chosen ---------------------------------------------------------------------------------------------------


def test_account_security_cannot_be_switched_off() -> None:
    for kind in (NoticeKind.ACCOUNT_SECURITY, NoticeKind.CALL_CENTRE):
        with pytest.raises(Conflict) as refused:
            require_optional(kind)
        assert refused.value.code == "NOTICE_NOT_OPTIONAL"
        assert by_default(kind) is Delivery.AT_ONCE


def test_every_other_kind_can_be_chosen_and_is_told_unless_it_is() -> None:
    for kind in set(NoticeKind) - FIXED:
        require_optional(kind)
        assert by_default(kind) is not Delivery.OFF
    listed = preferences({NoticeKind.OVERDUE: Delivery.OFF})
    assert [one.kind for one in listed] == list(NoticeKind)
    assert {one.kind: one.delivery for one in listed}[NoticeKind.OVERDUE] is Delivery.OFF
    assert [one.kind for one in listed if not one.optional] == [
        NoticeKind.CALL_CENTRE,
        NoticeKind.ACCOUNT_SECURITY,
    ]


def test_every_topic_is_of_a_kind_that_can_be_chosen_and_has_words() -> None:
    assert set(KINDS) == set(Topic)
    assert set(NoticeKind) - set(KINDS.values()) == FIXED
    for topic in Topic:
        assert len(lines([waiting(topic), waiting(topic)], {})) == 1
        oneself = KINDS[topic] in {NoticeKind.ROLES, NoticeKind.TRAININGS, NoticeKind.GUIDES}
        assert is_told(topic, member(), Place(None, None)) is oneself


# Who ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", sorted(RECEIVING | SENDING))
def test_of_a_referral_is_told_who_works_it_and_nobody_else(topic: Topic) -> None:
    """R02: client admins, insurance managers and the call centre have no queue as such."""
    clerk = member()
    group = KnownGroup(uuid4(), frozenset({THERE}), frozenset({clerk.user_id}))
    place = Place(HERE, group)

    assert is_told(topic, member((Role.OFFICE_STAFF, HERE)), place)
    assert is_told(topic, member((Role.OFFICE_ADMIN, HERE)), place)
    assert is_told(topic, clerk, place)
    for other in (Role.CLIENT_ADMIN, Role.REPORTING_ONLY, Role.INSURANCE_MANAGER, Role.CALL_CENTRE):
        assert not is_told(topic, member((other, None)), place)
    assert not is_told(topic, member((Role.OFFICE_STAFF, THERE)), place)
    assert not is_told(topic, member((Role.OFFICE_STAFF, HERE)), Place(None, None))
    assert roles_told(topic) == frozenset()


def test_an_office_that_could_not_open_is_told_to_client_admins_and_its_office_admins() -> None:
    """R16"""
    place = Place(HERE, None)

    assert is_told(Topic.GO_LIVE_MISSED, member((Role.CLIENT_ADMIN, None)), place)
    assert is_told(Topic.GO_LIVE_MISSED, member((Role.OFFICE_ADMIN, HERE)), place)
    assert not is_told(Topic.GO_LIVE_MISSED, member((Role.OFFICE_ADMIN, THERE)), place)
    assert not is_told(Topic.GO_LIVE_MISSED, member((Role.OFFICE_STAFF, HERE)), place)


def test_a_report_is_told_to_whoever_reads_it() -> None:
    """R31"""
    place = Place(None, KnownGroup(uuid4(), frozenset({HERE}), frozenset()))

    for role in (Role.CLIENT_ADMIN, Role.REPORTING_ONLY):
        assert is_told(Topic.REPORT, member((role, None)), place)
    assert is_told(Topic.REPORT, member((Role.OFFICE_ADMIN, HERE)), place)
    assert not is_told(Topic.REPORT, member((Role.OFFICE_ADMIN, THERE)), place)
    assert not is_told(Topic.REPORT, member((Role.OFFICE_STAFF, HERE)), place)


def test_a_campaign_is_told_to_who_reviews_plans_and_its_end_to_client_admins() -> None:
    """R26, R29."""
    manager, admin = member((Role.INSURANCE_MANAGER, None)), member((Role.CLIENT_ADMIN, None))
    nowhere, keeper = Place(None, None), member((Role.INSURANCE_MANAGER, HERE))

    assert not is_told(Topic.CAMPAIGN, keeper, nowhere)
    assert is_told(Topic.CAMPAIGN_REMINDED, keeper, nowhere)
    assert is_told(Topic.CAMPAIGN, manager, nowhere)
    assert is_told(Topic.CAMPAIGN, admin, nowhere)
    assert not is_told(Topic.CAMPAIGN_ESCALATED, manager, nowhere)
    assert is_told(Topic.CAMPAIGN_ESCALATED, admin, nowhere)


# The words ------------------------------------------------------------------------------------------------------------


def test_a_mail_says_how_much_of_what_and_where() -> None:
    same = uuid4()
    said = lines(
        [
            waiting(Topic.OVERDUE, HERE),
            waiting(Topic.NEW_REFERRAL, HERE, same),
            waiting(Topic.NEW_REFERRAL, HERE, same),
            waiting(Topic.NEW_REFERRAL, HERE),
            waiting(Topic.NEW_REFERRAL, THERE),
            waiting(Topic.DECLINED, UUID(int=13)),
        ],
        {HERE: "Birch", THERE: "Alder"},
    )

    assert [str(one) for one in said] == [
        "Alder: 1 new referral",
        "Birch: 2 new referrals",
        "Birch: 1 referral is overdue",
        "1 referral was declined",
    ]


def test_a_mail_about_one_thing_says_it_in_the_subject() -> None:
    here, task = Line("Birch", "2 new referrals"), Line("", "1 new task in the directory")
    one, two, three = (
        words("Lakeside", Delivery.AT_ONCE, [here], LINK),
        words("Lakeside", Delivery.AT_ONCE, [task], LINK),
        words("Lakeside", Delivery.DAILY_DIGEST, [here, task], LINK),
    )

    assert one.subject == "Birch: 2 new referrals"
    assert two.subject == "Lakeside: 1 new task in the directory"
    assert three.subject == "Daily: Lakeside: 2 things to look at"
    assert one.link == LINK


def test_a_long_mail_is_cut_and_says_so() -> None:
    told = words(
        "Lakeside",
        Delivery.DAILY_DIGEST,
        [Line("", f"Line {n}") for n in range(MOST_LINES + 3)],
        LINK,
    )

    assert list(told.paragraphs)[-1] == "And 3 more."
    assert len(told.paragraphs) == MOST_LINES + 2


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(Delivery))
def test_whatever_an_office_is_called_it_forges_no_header(
    organization: str, office: str, delivery: Delivery
) -> None:
    """R03"""
    said = lines([waiting(Topic.NEW_REFERRAL, HERE)], {HERE: office})
    message = letters.compose(ENVELOPE, words(organization, delivery, said, LINK))

    assert b"\nBcc:" not in message.partition(b"\n\n")[0]
    assert letters.compose(ENVELOPE, words("A", delivery, said, LINK))


@given(
    st.lists(st.tuples(st.sampled_from(Topic), st.sampled_from([HERE, THERE, None]))), st.uuids()
)
def test_no_mail_holds_an_id_or_anything_but_counts_and_names_of_offices(
    told: list[tuple[Topic, UUID | None]], subject: UUID
) -> None:
    """No PHI, and nothing that leads to it: the link is the suite's own address."""
    said = lines(
        [waiting(topic, office, subject) for topic, office in told], {HERE: "Birch", THERE: "Alder"}
    )
    text = " ".join(map(str, said))

    assert str(subject) not in text
    assert subject.hex not in text
    known = {"Birch:", "Alder:"}
    assert all(
        word in known or word[:1].islower() or word[:1].isdigit() or word in {"Plans", "Your"}
        for word in text.split()
    )
