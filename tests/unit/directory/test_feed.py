"""What the call centre is told, as a matter of two states (R10)."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.directory.domain.feed import BURST, ChangeKind, Subject, Touched, news

DOCTOR, HERE, THERE = uuid4(), uuid4(), uuid4()


def stay(first: str, until: str | None = None, *, accepting: bool = True) -> dict[str, Any]:
    """Days at an office, as the database keeps them."""
    return {"from": first, "until": until, "accepting": accepting}


def placed(
    before: list[dict[str, Any]], after: list[dict[str, Any]], office: UUID = HERE
) -> Touched:
    """A provider at an office."""
    return Touched("PLACEMENT", DOCTOR, office, before, after, known=True)


OPEN = stay("2026-01-01")


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ([], [OPEN], ["PLACEMENT_ADDED"]),
        ([OPEN], [stay("2026-01-01", "2026-06-01")], ["PLACEMENT_ENDED"]),
        ([OPEN], [stay("2026-01-01", "2026-01-01")], ["PLACEMENT_ENDED"]),
        ([stay("2026-01-01", "2026-06-01")], [OPEN], ["PLACEMENT_CHANGED"]),
        ([OPEN], [stay("2026-01-01", accepting=False)], ["NEW_PATIENTS"]),
        ([OPEN], [OPEN], []),
        ([], [stay("2026-01-01", "2026-01-01")], []),
        ([OPEN], [stay("2026-01-01", "2026-06-01"), stay("2026-06-01")], []),
        (
            [stay("2020-01-01", "2021-01-01")],
            [stay("2020-01-01", "2021-01-01"), OPEN],
            ["PLACEMENT_ADDED"],
        ),
        (
            [stay("2020-01-01", "2021-01-01"), OPEN],
            [stay("2020-01-01", "2021-01-01")],
            ["PLACEMENT_ENDED"],
        ),
    ],
)
def test_a_placement_is_told_as_the_difference_of_its_days(
    before: list[dict[str, Any]], after: list[dict[str, Any]], kinds: list[str]
) -> None:
    """R10: what never came about, or follows on without a gap, is no change."""
    told = [change.kind for item in news([placed(before, after)]) for change in item.changes]

    assert told == kinds


def test_who_ends_here_and_begins_there_has_moved() -> None:
    """R10."""
    ended = placed([OPEN], [stay("2026-01-01", "2026-06-01")])
    added = placed([], [stay("2026-06-01")], THERE)
    (item,) = news([ended, added])
    (change,) = item.changes

    assert (change.kind, change.from_office_id, change.office_id) == (ChangeKind.MOVED, HERE, THERE)
    assert change.effective_from == date(2026, 6, 1)


def test_who_is_removed_takes_everything_else_along() -> None:
    """R10."""
    gone = Touched(
        "PROVIDER",
        DOCTOR,
        None,
        {"state": "APPROVED", "merged_into": None},
        {"state": "REMOVED", "merged_into": None},
        known=True,
    )
    (item,) = news([placed([OPEN], [stay("2026-01-01", "2026-06-01")]), gone])

    assert [change.kind for change in item.changes] == [ChangeKind.PROVIDER_REMOVED]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        (("READY", None), ("LIVE", None), ["OFFICE_LIVE"]),
        (("LIVE", None), ("LIVE", "2026-06-01"), ["OFFICE_CLOSING"]),
        (("LIVE", "2026-06-01"), ("CLOSING", "2026-06-01"), []),
        (("CLOSING", "2026-06-01"), ("CLOSED", "2026-06-01"), ["OFFICE_CLOSED"]),
        (("CLOSING", "2026-06-01"), ("LIVE", None), ["OFFICE_STAYS"]),
        (("PLANNED", None), ("READY", None), []),
        (("CLOSED", "2026-06-01"), ("PLANNED", None), []),
    ],
)
def test_an_office_is_told_when_it_opens_closes_or_stays(
    before: tuple[str, str | None], after: tuple[str, str | None], kinds: list[str]
) -> None:
    """R10."""
    was, now = ({"state": state, "closes_on": closes} for state, closes in (before, after))
    told = news([Touched("OFFICE", None, HERE, was, now, known=True)])

    assert [change.kind for item in told for change in item.changes] == kinds


def test_nobody_is_told_of_who_was_never_approved() -> None:
    """R10."""
    assert news([Touched("PLACEMENT", DOCTOR, HERE, [], [OPEN], known=False)]) == []


def test_a_plan_that_goes_on_for_longer_is_added_and_one_that_ends_sooner_ended() -> None:
    """R10."""
    longer, sooner, same = sorted(uuid4() for _ in range(3))

    def row(plan: UUID, until: str | None) -> dict[str, Any]:
        return {"plan": str(plan), "from": "2026-01-01", "until": until}

    before = [row(longer, "2026-06-01"), row(sooner, None), row(same, None)]
    after = [row(longer, None), row(sooner, "2026-06-01"), row(same, None)]
    (item,) = news([Touched("PLANS", DOCTOR, HERE, before, after, known=True)])

    assert item.changes[0].plans_added == (longer,)
    assert item.changes[0].plans_ended == (sooner,)


@pytest.mark.parametrize(
    ("subjects", "kind"), [(BURST, Subject.PROVIDER), (BURST + 1, Subject.DIGEST)]
)
def test_more_than_twenty_things_are_one_digest(subjects: int, kind: Subject) -> None:
    """R10."""
    touched = [Touched("PLACEMENT", uuid4(), HERE, [], [OPEN], known=True) for _ in range(subjects)]
    told = news(touched)

    assert {item.kind for item in told} == {kind}
    assert sum(item.subjects for item in told) == subjects
