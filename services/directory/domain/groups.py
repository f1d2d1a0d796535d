"""Rules of groups: readiness, what support may override of it, and when a group is suggested (R20, R23, R25)."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from kit.errors import Conflict
from services.directory.domain.nouns import (
    Group,
    GroupState,
    ProviderId,
    SuggestionEnd,
    UserId,
)


def group_state(group: Group, confirmed_staff: int) -> GroupState:
    """READY with at least one confirmed staff, or where support lets it be (R25), INCOMPLETE without (R23); a group that is leaving
    stays what it is."""
    if group.state in {GroupState.REMOVING, GroupState.REMOVED}:
        return group.state
    ready = confirmed_staff > 0 or group.overridden_at is not None
    return GroupState.READY if ready else GroupState.INCOMPLETE


def require_overridable(group: Group) -> None:
    """Conflict NOTHING_TO_OVERRIDE unless nobody who has confirmed works for the group, and support has not said so before (R25)."""
    if group.confirmed_staff or group.overridden_at is not None:
        raise Conflict(
            "The group takes part in referrals already.",
            code="NOTHING_TO_OVERRIDE",
            remedy="Look at its state, and at what it sends and receives (changeGroupFlags).",
        )


def overridden(group: Group, by: UserId, at: datetime, said: tuple[str, UUID | None]) -> Group:
    """The group, which support lets take part for a reason, perhaps because it was asked to."""
    reason, request = said
    return replace(
        group,
        overridden_at=at,
        overridden_by=by,
        override_reason=reason,
        override_request=request,
    )


def require_overridden(group: Group) -> None:
    """Conflict NOT_OVERRIDDEN for a group that stands by its own merits."""
    if group.overridden_at is None:
        raise Conflict("There is nothing to take back.", code="NOT_OVERRIDDEN")


def without_override(group: Group) -> Group:
    """The group by its own merits."""
    return replace(
        group, overridden_at=None, overridden_by=None, override_reason=None, override_request=None
    )


@dataclass(frozen=True, slots=True)
class Practising:
    """An approved provider who works at the office now, with one of their specialties."""

    provider_id: ProviderId
    specialty_code: str
    classification: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """Providers of one classification at an office: the evidence of a suggestion."""

    classification: str
    specialty_code: str
    provider_ids: tuple[ProviderId, ...]


def clusters(practising: Iterable[Practising], at_least: int) -> list[Cluster]:
    """The classifications that at least so many providers of an office share (R20), by name.

    The specialty of a cluster is the one most of them have; a tie goes to the lower code.
    """
    by_name: dict[str, list[Practising]] = {}
    for one in practising:
        by_name.setdefault(one.classification, []).append(one)
    found = []
    for classification, rows in sorted(by_name.items()):
        ids = tuple(sorted({row.provider_id for row in rows}))
        if len(ids) >= at_least:
            counted = Counter(row.specialty_code for row in rows)
            code = min(counted, key=lambda each: (-counted[each], each))
            found.append(Cluster(classification, code, ids))
    return found


def covers(members: Iterable[ProviderId], cluster: Cluster) -> bool:
    """Whether a group of the office covers the cluster: more than half of its providers are members."""
    return 2 * len(set(members) & set(cluster.provider_ids)) > len(cluster.provider_ids)


def ending(cluster: Cluster | None, groups: Iterable[Sequence[ProviderId]]) -> SuggestionEnd | None:
    """Why an open suggestion must be closed, or None when it still stands (R20)."""
    if cluster is None:
        return SuggestionEnd.NO_LONGER_TRUE
    if any(covers(members, cluster) for members in groups):
        return SuggestionEnd.GROUP_ADDED
    return None


def dismissed(cluster: Cluster, before: Iterable[Collection[ProviderId]]) -> bool:
    """Whether just these providers were suggested before and a person dismissed it (R20): with one more or one fewer it is another
    suggestion, and with the same ones again it still is not."""
    return any(set(one) == set(cluster.provider_ids) for one in before)
