"""Recording directory's facts in the transaction that makes them true."""

from datetime import date
from uuid import UUID

from google.protobuf.message import Message

from kit import outbox
from kit.db import Connection
from proto.directory.v1 import events_pb2 as facts
from services.directory.actions.peers import Call
from services.directory.domain.nouns import Group, Office, Placement, Provider, Suggestion
from services.directory.domain.tasks import Task


async def of_provider(
    tx: Connection, call: Call, provider: Provider, fact: Message, *, audited: bool = False
) -> None:
    """Tell a fact of a provider; `audited`: the verb has written the audit trail's entry itself."""
    which = (provider.organization_id, provider.id)
    await _of(tx, call, "provider", which, fact, audited=audited)


async def of_office(tx: Connection, call: Call, office: Office, fact: Message) -> None:
    """Tell a fact of an office."""
    await _of(tx, call, "office", (office.organization_id, office.id), fact)


async def of_placement(tx: Connection, call: Call, placement: Placement, fact: Message) -> None:
    """Tell a fact of a placement."""
    await _of(tx, call, "placement", (placement.organization_id, placement.id), fact)


async def of_group(
    tx: Connection, call: Call, group: Group, fact: Message, *, audited: bool = False
) -> None:
    """Tell a fact of a group; `audited`: the verb has written the audit trail's entry itself."""
    await _of(tx, call, "group", (group.organization_id, group.id), fact, audited=audited)


async def of_suggestion(tx: Connection, call: Call, suggestion: Suggestion, fact: Message) -> None:
    """Tell a fact of a suggestion."""
    await _of(tx, call, "suggestion", (suggestion.organization_id, suggestion.id), fact)


async def of_task(tx: Connection, call: Call, task: Task, fact: Message) -> None:
    """Tell a fact of a task."""
    await _of(tx, call, "task", (task.organization_id, task.id), fact)


async def _of(
    tx: Connection,
    call: Call,
    aggregate: str,
    which: tuple[UUID, UUID],
    fact: Message,
    *,
    audited: bool = False,
) -> None:
    organization_id, aggregate_id = which
    await outbox.record(
        tx,
        fact,
        organization_id=organization_id,
        aggregate=aggregate,
        aggregate_id=aggregate_id,
        at=call.clock.now(),
        by=None if audited else call.viewer,
    )


def planned(office: Office) -> facts.OfficePlanned:
    """The office is planned."""
    return facts.OfficePlanned(
        office_id=str(office.id),
        name=office.name,
        time_zone=office.time_zone,
        go_live_on=office.go_live_on.isoformat(),
    )


def placement_added(placement: Placement) -> facts.PlacementAdded:
    """The provider is placed."""
    return facts.PlacementAdded(
        placement_id=str(placement.id),
        provider_id=str(placement.provider_id),
        office_id=str(placement.office_id),
        effective_from=placement.effective_from.isoformat(),
        effective_until=_day(placement.effective_until),
        accepting_new_patients=placement.accepting_new_patients,
    )


def placement_changed(placement: Placement) -> facts.PlacementChanged:
    """Something of the placement but its end has changed."""
    return facts.PlacementChanged(
        placement_id=str(placement.id),
        provider_id=str(placement.provider_id),
        office_id=str(placement.office_id),
        effective_from=placement.effective_from.isoformat(),
        effective_until=_day(placement.effective_until),
        accepting_new_patients=placement.accepting_new_patients,
    )


def placement_ended(placement: Placement) -> facts.PlacementEnded:
    """The placement has an end now."""
    return facts.PlacementEnded(
        placement_id=str(placement.id),
        provider_id=str(placement.provider_id),
        office_id=str(placement.office_id),
        effective_until=_day(placement.effective_until),
    )


def staffed(group: Group) -> facts.GroupStaffed:
    """Who is in the group, who works for it, and whether that is enough."""
    return facts.GroupStaffed(
        group_id=str(group.id),
        provider_ids=[str(one) for one in group.provider_ids],
        staff_user_ids=[str(one) for one in group.staff_user_ids],
        ready=group.state == "READY",
    )


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""
