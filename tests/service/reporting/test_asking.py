"""Whom reporting tells that a guide is theirs to read (R30)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

from services.reporting.actions.asking import ask_readers
from tests.service.reporting.conftest import Clinic, Reporting
from tests.service.reporting.people import Somebody, flags, staff, team
from tests.service.reporting.test_guides import acknowledge, change, published

LATER = timedelta(minutes=3)


async def told(clinic: Clinic) -> list[tuple[int, set[str], set[str]]]:
    """Which version, of whom it is asked, and of whom not any more; as the facts told since the last look."""
    rows = await clinic.reporting.running.sql.fetch(
        """WITH taken AS (DELETE FROM outbox WHERE organization_id = $1 AND subject LIKE '%.guide.asked' RETURNING body, event_id)
            SELECT body::json->'data' AS data FROM taken ORDER BY event_id""",
        clinic.organization_id,
    )
    return [
        (
            row["data"]["number"],
            set(row["data"].get("userIds", ())),
            set(row["data"].get("noLongerUserIds", ())),
        )
        for row in rows
    ]


def ids(*people: Somebody) -> set[str]:
    return {str(one.user_id) for one in people}


async def pass_by(reporting: Reporting) -> None:
    await reporting.running.advance(LATER)


async def test_each_reader_is_told_once_for_a_version_whatever_the_number_of_offices(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30: and nobody whom it is not for, or who cannot sign in yet."""
    at_two = await (await staff(clinic)).granted("OFFICE_STAFF", uuid4())
    one = await staff(clinic)
    await (await (await Somebody(clinic).invited()).confirmed()).granted("OFFICE_ADMIN")
    await (await Somebody(clinic).invited()).granted("OFFICE_STAFF")

    guide = await published(clinic)
    await pass_by(reporting)
    await pass_by(reporting)

    assert await told(clinic) == [(1, ids(at_two, one), set())]
    await acknowledge(reporting, guide, one.viewer)
    await pass_by(reporting)
    assert await told(clinic) == []


async def test_a_new_version_is_told_again_and_to_who_has_read_the_one_before(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    reader, other = await staff(clinic), await staff(clinic)
    guide = await published(clinic)
    await acknowledge(reporting, guide, reader.viewer)
    await pass_by(reporting)

    drafted = await change(clinic, "changeGuide", guide, text="Answer within three days.")
    await pass_by(reporting)
    await change(clinic, "publishGuide", drafted)
    await pass_by(reporting)

    assert await told(clinic) == [(1, ids(other), set()), (2, ids(reader, other), set())]


async def test_who_is_hired_confirmed_or_given_the_role_later_is_told_by_themselves(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    await staff(clinic)
    await published(clinic)
    await pass_by(reporting)
    await told(clinic)

    new = await (await Somebody(clinic).invited()).granted("OFFICE_STAFF")
    await pass_by(reporting)
    assert await told(clinic) == []
    await new.confirmed()
    hired = await staff(clinic)
    group = await clinic.group()
    helper = await (await Somebody(clinic).invited()).confirmed()
    await flags(clinic, group, sends=True, receives=True)
    await team(clinic, group, helper)
    await pass_by(reporting)
    assert await told(clinic) == [(1, ids(new, hired, helper), set())]


async def test_whose_it_is_no_more_is_told_and_told_anew_when_it_is_again(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    leaves, stays = await staff(clinic), await staff(clinic)
    await published(clinic)
    await pass_by(reporting)
    await told(clinic)

    await leaves.revoked("OFFICE_STAFF")
    await pass_by(reporting)
    await leaves.granted("OFFICE_STAFF")
    await pass_by(reporting)
    await stays.deactivated()
    await pass_by(reporting)

    assert await told(clinic) == [
        (1, set(), ids(leaves)),
        (1, ids(leaves), set()),
        (1, set(), ids(stays)),
    ]


async def test_what_is_withdrawn_is_told_to_nobody_until_it_is_published_anew(
    reporting: Reporting, clinic: Clinic
) -> None:
    """R30"""
    reader = await staff(clinic)
    guide = await published(clinic)
    gone = await change(clinic, "withdrawGuide", guide)
    await pass_by(reporting)
    assert await told(clinic) == []

    drafted = await change(clinic, "changeGuide", gone, text="Again.")
    await change(clinic, "publishGuide", drafted)
    await pass_by(reporting)
    assert await told(clinic) == [(2, ids(reader), set())]


async def test_two_who_look_at_once_tell_it_once(reporting: Reporting, clinic: Clinic) -> None:
    """R30"""
    readers = [await staff(clinic) for _ in range(3)]
    await published(clinic)

    await asyncio.gather(*(ask_readers(reporting.running.parts) for _ in range(4)))

    assert await told(clinic) == [(1, ids(*readers), set())]
