"""One real journey through every part of the suite, by its public doors only: a test, and a demonstration for a person."""

from __future__ import annotations

from cli.journey import care, ending, leaving, opening, places, practising, reviewing
from cli.journey.stage import JourneyBrokenError, Stage

__all__ = ["JourneyBrokenError", "Stage", "play"]

ACTS = (
    ("Two organizations open", opening.organizations_open),
    ("Staff are invited and confirm", opening.staff_confirm),
    ("An office with three cardiologists", places.office_is_added),
    ("A group is suggested, added and staffed", places.group_is_added),
    ("The sending side gets ready", places.sender_gets_ready),
    ("Go-live day", places.offices_go_live),
    ("Insurance plans are recorded", care.plans_are_recorded),
    ("Who should see this patient?", care.receivers_are_suggested),
    ("Referrals are sent, and seen live", care.referrals_are_sent),
    ("The receiving side works", care.referrals_are_worked),
    ("A provider leaves", leaving.provider_cannot_leave_yet),
    ("The way is cleared", leaving.provider_leaves),
    ("What is listed is reviewed", reviewing.plans_are_reviewed),
    ("A staff account is deactivated", ending.staff_is_deactivated),
    ("The weekly report", ending.report_is_right),
    ("Best practice", practising.practice_is_good),
    ("What the partner heard", ending.partner_heard),
)


async def play(stage: Stage) -> None:
    """Play every act. JourneyBrokenError names the first thing that was not as it should be."""
    for title, act in ACTS:
        stage.act(title)
        await act(stage)
