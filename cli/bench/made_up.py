"""A made-up organization's year of referrals, as reporting keeps it: by the definitions of reporting's own domain."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from kit.ids import new_id
from proto.referrals.v1 import events_pb2
from services.reporting.domain import (
    OPEN,
    Change,
    Deed,
    GroupId,
    OfficeId,
    OrganizationId,
    Outcome,
    PlanAcceptance,
    ProviderId,
    ReferralId,
    Status,
    Step,
    Verb,
    Week,
    deeds,
    history,
    moments,
)

Rows = list[tuple[object, ...]]
DAY = timedelta(days=1)
YEAR = 364 * DAY
OFFICES_OF_SENDERS = 200
PROVIDERS_OF_GROUP = 12
AT_A_TIME = 5_000
PLACES = ("sending_office_id", "sending_group_id", "office_id", "provider_id")


@dataclass
class Made:
    """An organization, and the groups that its referrals are with: the first has most."""

    now: datetime
    organization_id: OrganizationId
    groups: Sequence[GroupId]
    draw: random.Random = field(default_factory=lambda: random.Random(31))  # noqa: S311 - alike in each run

    @classmethod
    def with_groups(cls, number: int) -> Made:
        """A new one, as of now."""
        draw = random.Random(number)  # noqa: S311 - alike in each run
        ids = [UUID(int=draw.getrandbits(128)) for _ in range(number + 1)]
        groups = [GroupId(one) for one in ids[1:]]
        return cls(datetime.now(UTC), OrganizationId(ids[0]), groups)

    def histories(self, number: int) -> Iterator[list[Change]]:
        """So many referrals, sent at any time of the year before now."""
        weights = [1 / place for place in range(1, len(self.groups) + 1)]
        for group_id in self.draw.choices(self.groups, weights, k=number):
            yield self._history(group_id)

    def _history(self, group_id: GroupId) -> list[Change]:
        draw = self.draw
        told = _Tale(self, group_id, self.now - draw.random() * YEAR)
        told.happens(Verb.SENT, Status.PENDING, 0.0)
        fate = draw.random()
        if fate < 0.03:  # noqa: PLR2004 - shares of all referrals, here and below
            told.happens(Verb.CANCELLED, Status.CANCELLED, 6.0, reason="BOOKED_ELSEWHERE")
            return told.until_now()
        told.happens(Verb.ACKNOWLEDGED, Status.IN_PROGRESS, 4.0)
        if fate < 0.1:  # noqa: PLR2004
            told.happens(
                Verb.DECLINED, Status.DECLINED, 3.0, reason=draw.choice(("AGE", "NO_CAPACITY"))
            )
            return told.until_now()
        told.happens(Verb.SCHEDULED, Status.SCHEDULED, 5.0)
        if fate < 0.18:  # noqa: PLR2004
            told.happens(Verb.NO_SHOW, Status.FOLLOW_UP, 12.0, reason="FORGOT")
            told.happens(Verb.SCHEDULED, Status.SCHEDULED, 4.0)
        if fate < 0.98:  # noqa: PLR2004
            told.happens(Verb.COMPLETED, Status.COMPLETED, 12.0)
        if fate < 0.8:  # noqa: PLR2004
            told.happens(Verb.OUTCOME_ATTACHED, Status.COMPLETED, 4.0)
        return told.until_now()


class _Tale:
    """A referral as it goes on."""

    def __init__(self, made: Made, group_id: GroupId, at: datetime) -> None:
        self._made, self._at, self._group = made, at, group_id
        self._id = ReferralId(UUID(int=made.draw.getrandbits(128)))
        self._changes: list[Change] = []
        sender = made.draw.randrange(OFFICES_OF_SENDERS)
        self._from = OfficeId(UUID(int=sender + 1))
        self._to = ProviderId(UUID(int=group_id.int ^ made.draw.randrange(PROVIDERS_OF_GROUP)))

    def happens(self, verb: Verb, status: Status, days: float, reason: str | None = None) -> None:
        """The next thing, so many days later at most."""
        self._at += self._made.draw.random() * days * DAY
        place = len(self._changes) + 1
        self._changes.append(
            Change(
                self._id,
                place,
                place,
                verb,
                status,
                1,
                self._group,
                None,
                reason,
                self._at,
                outcome=Outcome.SEEN if verb is Verb.COMPLETED else None,
                appointment_at=self._at + 5 * DAY if verb is Verb.SCHEDULED else None,
                plan_acceptance=PlanAcceptance.ACCEPTED if verb is Verb.SENT else None,
                office_id=OfficeId(self._group),
                provider_id=self._to,
                sending_office_id=self._from,
            )
        )

    def until_now(self) -> list[Change]:
        """What of it has happened."""
        return [change for change in self._changes if change.occurred_at < self._made.now]


async def load(connection: asyncpg.Connection[asyncpg.Record], made: Made, referrals: int) -> int:
    """Copy so many referrals into reporting's tables; answers how many changes they have."""
    await _organization(connection, made)
    total = 0
    batch: list[list[Change]] = []
    for changes in made.histories(referrals):
        batch.append(changes)
        total += len(changes)
        if len(batch) == AT_A_TIME:
            await _copy(connection, made.organization_id, batch)
            batch = []
    await _copy(connection, made.organization_id, batch)
    return total


async def _organization(connection: asyncpg.Connection[asyncpg.Record], made: Made) -> None:
    since = Week.of(made.now.date()).preceding.preceding.monday
    at = datetime(since.year, since.month, since.day, tzinfo=UTC)
    groups = [
        (group_id, made.organization_id, f"Group {place}", [OfficeId(group_id)], at)
        for place, group_id in enumerate(made.groups)
    ]
    columns = ("id", "organization_id", "name", "office_ids", "added_at")
    await connection.copy_records_to_table("groups", records=groups, columns=columns)
    known: Rows = [(made.organization_id, "UTC", made.now)]
    await connection.copy_records_to_table("organizations", records=known)


async def _copy(
    connection: asyncpg.Connection[asyncpg.Record],
    organization_id: OrganizationId,
    batch: Sequence[list[Change]],
) -> None:
    steps = [history(changes) for changes in batch]
    tables: dict[str, tuple[tuple[str, ...], Rows]] = {
        "referral_changes": _changes(organization_id, batch),
        "referrals": _referrals(organization_id, batch),
        "standings": _standings(organization_id, steps),
        "moments": _moments(organization_id, steps),
        "deeds": _deeds(organization_id, steps),
    }
    for table, (columns, rows) in tables.items():
        await connection.copy_records_to_table(table, records=rows, columns=columns)


def _changes(
    organization_id: OrganizationId, batch: Sequence[list[Change]]
) -> tuple[tuple[str, ...], Rows]:
    told = [asdict(change) for changes in batch for change in changes]
    rows: Rows = [(organization_id, *change.values()) for change in told]
    return ("organization_id", *(told[0] if told else ())), rows


def _referrals(
    organization_id: OrganizationId, batch: Sequence[list[Change]]
) -> tuple[tuple[str, ...], Rows]:
    rows: Rows = [
        (
            organization_id,
            changes[0].referral_id,
            changes[-1].sequence,
            changes[-1].group_id if changes[-1].status in OPEN else None,
            changes[0].occurred_at,
            changes[-1].occurred_at,
        )
        for changes in batch
    ]
    names = "organization_id referral_id sequence holder first_changed_at last_changed_at"
    return tuple(names.split()), rows


def _standings(
    organization_id: OrganizationId, histories: Sequence[tuple[Step, ...]]
) -> tuple[tuple[str, ...], Rows]:
    rows: Rows = []
    for steps in histories:
        ends = [later.at for _, later in pairwise(steps)] + [datetime.max.replace(tzinfo=UTC)]
        for step, until in zip(steps, ends, strict=True):
            after, change = step.after, step.after.change
            flags = (after.acted, after.scheduled, after.appointment, after.loop_closed)
            begun = (organization_id, change.referral_id, change.sequence, step.at, until)
            stands = (change.status, change.holder, after.since)
            rows.append((*begun, *stands, *flags, after.worked_at, *_places(change)))
    names = "organization_id referral_id sequence at until status holder since acted scheduled appointment loop_closed worked_at"
    return (*names.split(), *PLACES), rows


def _moments(
    organization_id: OrganizationId, histories: Sequence[tuple[Step, ...]]
) -> tuple[tuple[str, ...], Rows]:
    rows: Rows = [
        (
            organization_id,
            moment.referral_id,
            moment.change.sequence,
            moment.movement,
            moment.group_id,
            moment.at,
            moment.waited,
            moment.until_appointment,
            moment.change.reason_code,
            moment.change.outcome,
            *_places(moment.told),
        )
        for steps in histories
        for step in steps
        for moment in moments(step)
    ]
    names = "organization_id referral_id sequence movement group_id at waited until_appointment reason_code outcome"
    return (*names.split(), *PLACES), rows


def _deeds(
    organization_id: OrganizationId, histories: Sequence[tuple[Step, ...]]
) -> tuple[tuple[str, ...], Rows]:
    rows: Rows = [
        (organization_id, *asdict(deed).values())
        for steps in histories
        for step in steps
        for deed in deeds(step)
    ]
    return ("organization_id", *(one.name for one in fields(Deed))), rows


def _places(change: Change) -> tuple[object, ...]:
    return tuple(getattr(change, name) for name in PLACES)


# Facts ----------------------------------------------------------------------------------------------------------------

_FACTS: dict[Verb, type[Message]] = {
    Verb.SENT: events_pb2.ReferralSent,
    Verb.ACKNOWLEDGED: events_pb2.ReferralAcknowledged,
    Verb.SCHEDULED: events_pb2.ReferralScheduled,
    Verb.COMPLETED: events_pb2.ReferralCompleted,
    Verb.DECLINED: events_pb2.ReferralDeclined,
    Verb.CANCELLED: events_pb2.ReferralCancelled,
    Verb.NO_SHOW: events_pb2.ReferralNoShow,
    Verb.OUTCOME_ATTACHED: events_pb2.ReferralOutcomeAttached,
}


async def load_facts(
    connection: asyncpg.Connection[asyncpg.Record], made: Made, referrals: int
) -> int:
    """Copy the facts that tell of so many referrals, as reporting keeps what it heard; answers how many."""
    changes = [change for told in made.histories(referrals) for change in told]
    changes.sort(key=lambda change: change.occurred_at)
    rows: Rows = [_fact(made.organization_id, change) for change in changes]
    columns = ("organization_id", "aggregate_id", "sequence", "event_id", "at", "kind", "body")
    await connection.copy_records_to_table("facts", records=rows, columns=columns)
    return len(rows)


def _fact(organization_id: OrganizationId, change: Change) -> tuple[object, ...]:
    kind = _FACTS[change.verb]
    state = events_pb2.ReferralState(
        referral_id=str(change.referral_id),
        side="RECEIVING",
        status=change.status,
        version=change.version,
        sending_organization_id=str(UUID(int=1)),
        sending_office_id=str(change.sending_office_id),
        receiving_organization_id=str(organization_id),
        receiving_office_id=str(change.office_id),
        receiving_provider_id=str(change.provider_id),
        receiving_group_id=str(change.group_id),
        hop=change.hop,
    )
    state.occurred_at.FromDatetime(change.occurred_at)
    body = kind(referral=state).SerializeToString()
    about = (organization_id, change.referral_id, change.sequence, new_id(), change.occurred_at)
    return (*about, kind.DESCRIPTOR.full_name, body)
