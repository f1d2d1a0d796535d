"""Suggesting a group where several providers of one classification work and none covers them (R20)."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from kit.db import Connection
from kit.errors import Conflict, Invalid
from kit.ids import new_id
from proto.directory.v1 import events_pb2 as facts
from services.directory import policy, store
from services.directory.actions import finding, telling
from services.directory.actions.peers import Call
from services.directory.domain import days, groups
from services.directory.domain.groups import Cluster
from services.directory.domain.nouns import (
    OfficeId,
    OrganizationId,
    Suggestion,
    SuggestionEnd,
    SuggestionId,
    require_version,
)


async def review(call: Call, organization_id: OrganizationId, offices: Iterable[OfficeId]) -> None:
    """Look at these offices again: raise, renew or close their suggestions. Called after each change, and by a job."""
    for office_id in sorted(set(offices)):
        async with call.db.transaction() as tx:
            await store.suggestions.hold_office(tx, office_id)
            await _review_office(tx, call, organization_id, office_id)


async def _review_office(
    tx: Connection, call: Call, organization_id: OrganizationId, office_id: OfficeId
) -> None:
    settings = await store.catalogue.settings_seen(tx, organization_id)
    practising = await store.suggestions.practising(
        tx, organization_id, office_id, call.clock.now()
    )
    members = await store.suggestions.groups_at(tx, organization_id, office_id)
    latest = await store.suggestions.latest(tx, organization_id, office_id)
    unwanted = await store.suggestions.dismissed(tx, organization_id, office_id)
    found = groups.clusters(practising, settings.suggest_groups_from)
    clusters = {
        cluster.classification: cluster
        for cluster in found
        if not groups.dismissed(cluster, unwanted.get(cluster.classification, ()))
    }
    for classification in sorted(clusters.keys() | latest.keys()):
        cluster, last = clusters.get(classification), latest.get(classification)
        because = groups.ending(cluster, members)
        if last is not None and last.closed_at is None:
            await _review_open(tx, call, last, cluster, because)
        elif cluster is not None and because is None:
            await _raise(tx, call, organization_id, office_id, cluster)


async def _review_open(
    tx: Connection,
    call: Call,
    last: Suggestion,
    cluster: Cluster | None,
    because: SuggestionEnd | None,
) -> None:
    if cluster is None or because is not None:
        await _close(tx, call, last, because or SuggestionEnd.NO_LONGER_TRUE)
    elif set(cluster.provider_ids) != set(last.provider_ids):
        await store.suggestions.renew(tx, last, cluster)
        await _tell_raised(tx, call, last, cluster)


async def _raise(
    tx: Connection,
    call: Call,
    organization_id: OrganizationId,
    office_id: OfficeId,
    cluster: Cluster,
) -> None:
    raised = Suggestion(
        id=SuggestionId(new_id()),
        organization_id=organization_id,
        office_id=office_id,
        classification=cluster.classification,
        specialty_code=cluster.specialty_code,
        provider_ids=cluster.provider_ids,
        raised_at=call.clock.now(),
        closed_at=None,
        closed_because=None,
        version=1,
    )
    await store.suggestions.add(tx, raised)
    await _tell_raised(tx, call, raised, cluster)


async def _tell_raised(
    tx: Connection, call: Call, suggestion: Suggestion, cluster: Cluster
) -> None:
    fact = facts.SuggestionRaised(
        suggestion_id=str(suggestion.id),
        office_id=str(suggestion.office_id),
        specialty_code=cluster.specialty_code,
        provider_ids=[str(one) for one in cluster.provider_ids],
    )
    await telling.of_suggestion(tx, call, suggestion, fact)


async def _close(
    tx: Connection, call: Call, suggestion: Suggestion, because: SuggestionEnd
) -> None:
    now = call.clock.now()
    await store.suggestions.close(tx, suggestion, because, now)
    closed_at = Timestamp()
    closed_at.FromDatetime(now)
    fact = facts.SuggestionClosed(
        suggestion_id=str(suggestion.id), reason=because, closed_at=closed_at
    )
    await telling.of_suggestion(tx, call, suggestion, fact)


LONGEST = timedelta(days=366)
"""For longer nothing is put off: it is dismissed."""


async def snooze_suggestion(call: Call, suggestion_id: UUID, seen: int, until: date) -> Suggestion:
    """Put a suggestion off until a day on its office's calendar, or until other providers are meant (R20)."""
    async with call.db.transaction() as tx:
        before = await _open(tx, call, suggestion_id, seen)
        office = (await store.offices.by_ids(tx, [before.office_id]))[before.office_id]
        today = days.day_at(office, call.clock.now())
        if not today < until <= today + LONGEST:
            raise Invalid(
                "A suggestion is put off until a day that is to come, within a year.",
                code="BAD_DAY",
                field="until",
                remedy="Choose a day from tomorrow on, or dismiss the suggestion.",
            )
        await store.suggestions.snooze(tx, replace(before, snoozed_until=until))
        fact = facts.SuggestionSnoozed(suggestion_id=str(before.id), until=until.isoformat())
        await telling.of_suggestion(tx, call, before, fact)
        return (await store.suggestions.by_ids(tx, before.organization_id, [suggestion_id]))[0]


async def _open(tx: Connection, call: Call, suggestion_id: UUID, seen: int) -> Suggestion:
    """The suggestion, locked, for a client admin who has seen it as it stands; Conflict when it is closed."""
    before = await finding.suggestion(tx, call.viewer, suggestion_id)
    policy.permit_client_admin(call.viewer, before.organization_id)
    require_version("suggestion", seen, before.version)
    if before.closed_at is not None:
        raise Conflict("The suggestion is closed already.", code="SUGGESTION_CLOSED")
    return before


async def dismiss_suggestion(call: Call, suggestion_id: UUID, seen: int) -> Suggestion:
    """Close a suggestion for good: it does not come back for the same providers (R20)."""
    async with call.db.transaction() as tx:
        before = await _open(tx, call, suggestion_id, seen)
        await _close(tx, call, before, SuggestionEnd.DISMISSED)
        organization_id = before.organization_id
        return (await store.suggestions.by_ids(tx, organization_id, [suggestion_id]))[0]
