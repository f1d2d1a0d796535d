"""Row-level security of reporting: with policy switched off, another organization finds nothing at all."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.reporting import policy
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.people import office, staff
from tests.service.reporting.stories import Story
from tests.service.reporting.test_guides import published
from tests.service.reporting.test_trainings import assigned
from tests.support import walls
from tests.support.walls import Attack

SUNDAY = datetime(2026, 1, 4, 12, tzinfo=UTC)
NAME = "Canary-Group"


async def with_report(reporting: Reporting, clinic: Clinic) -> UUID:
    """A group with a referral, and the published report of its week."""
    group = await clinic.group(NAME)
    await staff(clinic)
    await Story(clinic, group).sent(SUNDAY)
    await published(clinic, title=NAME)
    await reporting.running.set_time(SUNDAY)
    await office(clinic, NAME)
    await assigned(clinic, title=NAME, dueOn="2026-12-31")
    await reporting.running.set_time(datetime(2026, 1, 6, 12, tzinfo=UTC))
    return group


async def attack(reporting: Reporting, clinic: Clinic, group: UUID, by: Clinic) -> Attack:
    """Everything reporting offers, asked by another organization's client admin."""
    report = await reporting.running.sql.fetchval(
        "SELECT id FROM published_reports WHERE group_id = $1", group
    )
    referral = await reporting.running.sql.fetchval(
        "SELECT referral_id FROM referrals WHERE organization_id = $1", clinic.organization_id
    )
    guide = await reporting.running.sql.fetchval(
        "SELECT id FROM guides WHERE organization_id = $1", clinic.organization_id
    )
    training = await reporting.running.sql.fetchval(
        "SELECT id FROM trainings WHERE organization_id = $1", clinic.organization_id
    )
    aim = {
        "guideId": str(guide),
        "trainingId": str(training),
        "officeId": str(clinic.office_id),
        "groupId": str(group),
        "reportId": str(report),
        "organizationId": str(clinic.organization_id),
        "ID": str(report),
        "id": str(group),
    }
    values = {"weekOf": "2025-12-29", "on": "2026-01-04", "expectedVersion": 1}
    aims = [aim, {**aim, "id": str(guide)}, {**aim, "id": str(clinic.office_id)}]
    return Attack(reporting.running, by.admin, aims, [NAME, str(referral)], values)


async def test_with_policy_switched_off_nothing_of_others_is_told_or_changed(
    reporting: Reporting, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Z7."""
    group, other = await with_report(reporting, clinic), Clinic(reporting)
    await other.open("America/New_York")
    ids, not_of = [str(group), str(clinic.organization_id)], str(other.organization_id)
    before = await walls.rows_of(reporting.running, ids, not_of)
    attacking = await attack(reporting, clinic, group, other)
    walls.switch_off(monkeypatch, policy)

    told = await attacking.told()

    assert told == []
    assert await walls.rows_of(reporting.running, ids, not_of) == before
    assert attacking.asked > 5


async def test_without_the_wall_the_same_attack_cannot_look_either(
    reporting: Reporting, clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reporting's own statements name the viewer's organization as well: a third wall. With the clinic's viewer they find it, so
    the test above asks what can be told."""
    group = await with_report(reporting, clinic)
    attacking = await attack(reporting, clinic, group, clinic)
    walls.switch_off(monkeypatch, policy)
    assert await attacking.told() != []


async def test_each_table_shows_nothing_to_who_does_not_say_for_whom(
    reporting: Reporting, clinic: Clinic
) -> None:
    await with_report(reporting, clinic)
    seen = await walls.rows_without_a_scope(reporting.running)
    there = await walls.rows_in_all(reporting.running, seen)
    assert {table for table, count in seen.items() if count} == set()
    assert sum(count > 0 for count in there.values()) > 4
