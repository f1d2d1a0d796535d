"""Who might become office admin."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain import OfficeId, UserId
from services.identity.domain.candidates import MOST, CandidateReason, Known, suggest
from tests.unit.identity.builders import NOW, OFFICE, OTHER_OFFICE

PLAIN = Known(UserId(UUID(int=1)), "Sam Poe", None, OFFICE, NOW, 1, 1, 3)
KNOWN = st.builds(
    Known,
    st.integers(1, 9).map(lambda n: UserId(UUID(int=n))),
    st.just("Sam"),
    st.sampled_from([None, "Nurse", "Practice manager", "Team Lead", "Leadership"]),
    st.sampled_from([OFFICE, OTHER_OFFICE]),
    st.integers(0, 400).map(lambda days: NOW - timedelta(days=days)),
    st.integers(0, 30),
    st.integers(1, 3),
    st.integers(0, 3),
)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"title": "Front Desk LEAD"}, CandidateReason.TITLE),
        ({"days_signed_in": 8}, CandidateReason.SIGNS_IN_OFTEN),
        ({"offices": 2}, CandidateReason.SEVERAL_OFFICES),
        ({"since": NOW - timedelta(days=180)}, CandidateReason.LONG_HERE),
    ],
)
def test_each_reason_is_a_reason(change: dict[str, object], reason: CandidateReason) -> None:
    """R-S1"""
    (office,) = suggest([replace(PLAIN, **change)], NOW)  # type: ignore[arg-type]

    assert [one.reasons for one in office.candidates] == [(reason,)]


def test_a_title_that_only_sounds_like_leading_is_no_reason() -> None:
    """R-S1"""
    (office,) = suggest([replace(PLAIN, title="Misleading")], NOW)

    assert office.candidates == ()


@given(st.lists(KNOWN, unique_by=lambda one: (one.user_id, one.office_id)), st.randoms())
def test_the_same_facts_give_the_same_order_and_never_somebody_without_a_reason(
    known: list[Known], order: object
) -> None:
    """R-S1"""
    shuffled = list(known)
    order.shuffle(shuffled)  # type: ignore[attr-defined]

    found = suggest(known, NOW)

    assert suggest(shuffled, NOW) == found
    assert {OfficeId(one.office_id) for one in found} == {one.office_id for one in known}
    for office in found:
        scores = [one.score for one in office.candidates]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) <= MOST
        assert all(one.reasons and one.known.colleagues for one in office.candidates)
