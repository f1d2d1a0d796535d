"""Rules of groups, suggestions and leaving (R15, R20, R23, R24)."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.directory.domain import fences, groups
from services.directory.domain.fences import OpenReferral, OpenWork
from services.directory.domain.groups import Cluster, Practising
from services.directory.domain.nouns import (
    GroupState,
    OfficeId,
    ProviderId,
    Suggestion,
    SuggestionEnd,
    SuggestionId,
)
from tests.unit.directory.builders import NOW, OURS, group

IDS = [ProviderId(UUID(int=n)) for n in range(1, 8)]
HEART, SKIN = "Internal Medicine", "Dermatology"


def _at(n: int, classification: str = HEART, code: str = "207RC0000X") -> Practising:
    return Practising(IDS[n], code, classification)


def _suggestion(ids: list[ProviderId], because: SuggestionEnd | None) -> Suggestion:
    return Suggestion(
        id=SuggestionId(UUID(int=9)),
        organization_id=OURS,
        office_id=OfficeId(UUID(int=8)),
        classification=HEART,
        specialty_code="207RC0000X",
        provider_ids=tuple(ids),
        raised_at=NOW,
        closed_at=NOW if because else None,
        closed_because=because,
        version=1,
    )


@pytest.mark.parametrize("state", [GroupState.INCOMPLETE, GroupState.READY])
def test_a_group_is_ready_with_confirmed_staff_and_incomplete_without(state: GroupState) -> None:
    """R23."""
    assert groups.group_state(group(state=state), 1) is GroupState.READY
    assert groups.group_state(group(state=state), 0) is GroupState.INCOMPLETE


@pytest.mark.parametrize("state", [GroupState.REMOVING, GroupState.REMOVED])
def test_a_group_that_leaves_is_not_made_ready_by_staff(state: GroupState) -> None:
    assert groups.group_state(group(state=state), 5) is state


def test_three_of_one_classification_are_a_cluster_and_two_are_not() -> None:
    """R20."""
    found = groups.clusters([_at(0), _at(1), _at(2), _at(3, SKIN), _at(4, SKIN)], 3)

    assert [(one.classification, one.provider_ids) for one in found] == [(HEART, tuple(IDS[:3]))]


def test_a_cluster_has_the_specialty_most_of_them_have() -> None:
    """R20."""
    rows = [_at(0, code="207RG0100X"), _at(1), _at(2), _at(3, code="207RG0100X")]

    assert groups.clusters(rows, 3)[0].specialty_code == "207RC0000X"


@given(st.permutations([_at(n) for n in range(5)]))
def test_the_order_of_rows_does_not_matter(rows: list[Practising]) -> None:
    assert groups.clusters(rows, 3) == groups.clusters([_at(n) for n in range(5)], 3)


def test_a_group_covers_with_more_than_half() -> None:
    """R20."""
    cluster = Cluster(HEART, "207RC0000X", tuple(IDS[:4]))

    assert not groups.covers(IDS[:2], cluster)
    assert groups.covers(IDS[:3], cluster)
    assert groups.covers(IDS, cluster)


def test_a_suggestion_ends_when_it_is_covered_or_no_longer_true() -> None:
    """R20."""
    cluster = Cluster(HEART, "207RC0000X", tuple(IDS[:3]))

    assert groups.ending(cluster, []) is None
    assert groups.ending(cluster, [IDS[3:]]) is None
    assert groups.ending(cluster, [IDS[:3]]) is SuggestionEnd.GROUP_ADDED
    assert groups.ending(None, []) is SuggestionEnd.NO_LONGER_TRUE


def test_a_dismissed_suggestion_stays_away_for_the_same_providers() -> None:
    """R20."""
    cluster = Cluster("Internal Medicine", "207RC0000X", tuple(IDS[:3]))

    assert groups.dismissed(cluster, [IDS[:4], IDS[2::-1]])
    assert not groups.dismissed(cluster, [IDS[:4], IDS[:2]])
    assert not groups.dismissed(cluster, [])


def test_open_referrals_are_told_by_the_office_that_works_on_them() -> None:
    """R12, R13."""
    rows = tuple(OpenReferral(f"r{n}", "PENDING", "RECEIVING", f"o{n % 2}") for n in range(4))
    found = fences.by_office(OpenWork(4, rows))

    assert [(one.office_id, one.referral_ids) for one in found] == [
        ("o0", ("r0", "r2")),
        ("o1", ("r1", "r3")),
    ]


def test_everything_in_the_way_is_said_at_once() -> None:
    """R12, R15."""
    both = fences.in_the_way(OpenWork(2), (OfficeId(UUID(int=1)),))
    offices = fences.in_the_way(OpenWork(0), (OfficeId(UUID(int=1)), OfficeId(UUID(int=2))))
    referral = fences.in_the_way(OpenWork(1))

    assert both.message == "In the way: 2 open referrals and 1 office."
    assert (both.code, offices.code) == ("OPEN_REFERRALS", "OFFICES_REMAIN")
    assert offices.message == "In the way: 2 offices."
    assert referral.message == "In the way: 1 open referral."
