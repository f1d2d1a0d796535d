"""The demo world as data, before anything is made of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.seed import SEED, stories, world
from cli.seed.notes import Notes
from cli.seed.stories import ENDS
from cli.trouble import Trouble
from services.directory.domain.profiles import npi_is_valid
from services.identity.domain.passwords import accept
from services.referrals.domain.moves import LAPSES_AFTER

SECRET = "5e" * 32
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))


def test_the_world_has_what_is_promised() -> None:
    whole = world.build(SEED)

    assert len(whole.organizations) == 2
    assert sum(len(one.offices) for one in whole.organizations) == 8
    assert sum(len(one.providers) for one in whole.organizations) == 30
    groups = [group for one in whole.organizations for group in one.groups]
    assert len(groups) == 5
    assert [group.name for group in groups if not group.may_receive] == [
        "North Harbor Emergency Department"
    ]
    assert (len(whole.payers), len(whole.plans)) == (5, 12)
    for organization in whole.organizations:
        assert {user.role for user in organization.users} == {
            world.CLIENT_ADMIN, world.OFFICE_ADMIN, world.OFFICE_STAFF, world.INSURANCE_MANAGER,
            world.CALL_CENTRE, world.PROVIDER,
        }  # fmt: skip


def test_one_is_insurance_manager_of_all_and_another_of_an_office_where_they_do_not_work() -> None:
    """R26"""
    for organization in world.build(SEED).organizations:
        managers = [one for one in organization.users if one.role == world.INSURANCE_MANAGER]

        assert [len(one.offices) for one in managers] == [0, 1]
        assert [one.workplaces for one in managers] == [(), ()]


def test_everything_in_it_is_marked_as_a_sample() -> None:
    whole = world.build(SEED)

    providers = [one for each in whole.organizations for one in each.providers]
    assert all(one.name.endswith("(Sample)") for one in whole.organizations)
    assert all(one.credential.endswith("(sample)") for one in providers)
    assert all(npi_is_valid(one.npi) and one.npi.startswith("1000000") for one in providers)
    assert len({one.npi for one in providers}) == 30
    assert len({(one.first_name, one.last_name) for one in providers}) == 30
    assert all(user.email.endswith(".example") for one in whole.organizations for user in one.users)


def test_a_seed_number_always_makes_the_same_world() -> None:
    notes = Notes(datetime(2026, 5, 6, 12, tzinfo=UTC), SECRET)

    assert world.build(7) == world.build(7)
    assert world.build(7) != world.build(8)
    assert stories.write(world.build(7), notes, 7) == stories.write(world.build(7), notes, 7)


@given(MOMENTS)
def test_eighty_referrals_end_in_every_status_whatever_the_day(begun: datetime) -> None:
    notes = Notes(begun, SECRET)
    written = stories.write(world.build(SEED), notes, SEED)

    assert Counter(story.end for story in written) == ENDS
    assert sum(ENDS.values()) == 80
    for story in written:
        steps = [deed.step for deed in story.deeds]
        assert steps == sorted(steps)
        assert steps[-1] < len(notes.steps())


@given(MOMENTS)
def test_a_referral_that_is_declined_still_waits_for_its_sender_when_the_world_is_made(
    begun: datetime,
) -> None:
    notes = Notes(begun, SECRET)
    steps = notes.steps()
    declined = [
        (story.end, begun - steps[deed.step], deed.more["reasonCode"])
        for story in stories.write(world.build(SEED), notes, SEED)
        for deed in story.deeds
        if deed.verb == "declineReferral"
    ]

    assert any(end == "DECLINED" for end, _, _ in declined)
    for _, ago, reason in declined:
        assert reason == "INFORMATION_REQUIRED" or ago < LAPSES_AFTER - timedelta(hours=12)


@given(MOMENTS)
def test_steps_are_in_office_hours_of_workdays_in_their_order_and_past(begun: datetime) -> None:
    notes = Notes(begun, SECRET)
    steps = notes.steps()

    assert all(one < other for one, other in pairwise(steps))
    assert all(step.weekday() < 5 and 9 <= step.hour < 17 for step in steps)
    assert (steps[0].date() - notes.setup().date()).days == 8
    assert steps[-1] < begun
    assert begun - steps[0] < timedelta(days=38)


def test_passwords_are_accepted_and_belong_to_one_world() -> None:
    here, there = (
        Notes(datetime(2026, 5, 6, tzinfo=UTC), secret) for secret in (SECRET, "ab" * 32)
    )

    for organization in world.build(SEED).organizations:
        for user in organization.users:
            password = here.password(user.email)
            context = [user.name, user.email, organization.name]
            assert accept(password, context=context) == password
            assert password != there.password(user.email)
    assert SECRET not in repr(here)


def test_notes_of_an_interrupted_world_are_read_again_and_are_private(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    first = Notes.kept(file)

    assert Notes.kept(file) == first
    assert file.stat().st_mode & 0o777 == 0o600


def test_notes_that_cannot_be_read_are_told_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "demo.json"
    file.write_text("{}")

    with pytest.raises(Trouble, match="--no-demo"):
        Notes.kept(file)
