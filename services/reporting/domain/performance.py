"""What offices and providers did in a month, how fast, and why not (R31): told without small cells to who sees no patients."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from kit.errors import Invalid
from services.reporting.domain.deeds import DeedKind
from services.reporting.domain.figures import Share
from services.reporting.domain.suppression import Column, column, crossed
from services.reporting.domain.weeks import EARLIEST

K = TypeVar("K", bound=Hashable)

WAITED_FOR = (DeedKind.ACKNOWLEDGED, DeedKind.SCHEDULED, DeedKind.COMPLETED)
"""What a turnaround is told of: from asked until then."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month of the organization. There is no other period: the difference of two would tell small cells."""

    first: date

    @classmethod
    def readable(cls, day: date, today: date) -> "Month":
        """The month of a day, which must have begun: Invalid MONTH_NOT_BEGUN, or MONTH_TOO_EARLY before the year 2000."""
        if day < EARLIEST:
            raise Invalid(
                "There are no reports of that time.",
                code="MONTH_TOO_EARLY",
                field="month",
                remedy="Ask for a day of this century.",
            )
        if day.replace(day=1) > today:
            raise Invalid(
                "This month has not begun.",
                code="MONTH_NOT_BEGUN",
                field="month",
                remedy="Ask for a day of this month or of an earlier one.",
            )
        return cls(day.replace(day=1))

    def start(self, zone: ZoneInfo) -> datetime:
        """The instant it begins, in UTC."""
        return datetime.combine(self.first, time(), zone).astimezone(UTC)

    def end(self, zone: ZoneInfo) -> datetime:
        """The instant it is over, in UTC, which is not part of it."""
        return Month((self.first + timedelta(days=31)).replace(day=1)).start(zone)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose deeds are looked at: those at some offices or (None) any, of one provider or (None) everybody."""

    office_ids: Sequence[UUID] | None = None
    provider_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """How many deeds have all this in common."""

    kind: DeedKind
    office_id: UUID
    provider_id: UUID | None
    reason_code: str | None
    plan_id: UUID | None
    outside_plan: bool | None
    count: int


@dataclass(frozen=True, slots=True)
class Turnaround:
    """Hours from asked until done: half were faster than the median, nine of ten faster than `p90`."""

    median: float
    p90: float


Waits = Mapping[DeedKind, Turnaround]


@dataclass(frozen=True, slots=True)
class Waited:
    """The waits of everybody, of each office and of each provider (None: of nobody in particular)."""

    total: Waits
    offices: Mapping[UUID, Waits]
    providers: Mapping[UUID | None, Waits]


@dataclass(frozen=True, slots=True)
class Measured:
    """What somebody did; None is not told. A turnaround is told of five referrals or more only, or to who sees them."""

    counts: Mapping[DeedKind, int | None]
    waits: Waits

    @property
    def no_show_rate(self) -> Share | None:
        """Missed appointments of those that were over."""
        return share(self.counts[DeedKind.NO_SHOW], self.counts[DeedKind.APPOINTMENT_OVER])


@dataclass(frozen=True, slots=True)
class Leakage:
    """Of the referrals sent with a known plan those that went outside of it."""

    sent: int | None
    outside: int | None

    @property
    def rate(self) -> Share | None:
        """None where either is not told."""
        return share(self.outside, self.sent)


@dataclass(frozen=True, slots=True)
class Performance:
    """A month. `all_told`: to who sees the patients behind it."""

    month: Month
    as_of: datetime
    data_as_of: datetime | None
    all_told: bool
    total: Measured
    offices: Mapping[UUID, Measured]
    providers: Mapping[UUID | None, Measured]
    declines: Column[str]
    no_shows: Column[str]
    leakage: Leakage
    plans: Mapping[UUID | None, Leakage]
    outside: Column[str]


def most_received(rows: Mapping[K, Measured]) -> list[tuple[K, Measured]]:
    """Offices or providers in the order in which they are shown, wherever that is."""
    return sorted(
        rows.items(), key=lambda row: (-(row[1].counts[DeedKind.RECEIVED] or 0), str(row[0]))
    )


def most_sent(rows: Mapping[UUID | None, Leakage]) -> list[tuple[UUID | None, Leakage]]:
    """Plans in the order in which they are shown."""
    return sorted(rows.items(), key=lambda row: (-(row[1].sent or 0), str(row[0])))


def share(part: int | None, whole: int | None) -> Share | None:
    """A part of a whole; None where either is not told."""
    return None if part is None or whole is None else Share(part, whole)


@dataclass(frozen=True, slots=True)
class Told:
    """Deeds, and whether all of them may be told. What was sent is known by office, not by who sent."""

    done: Sequence[Done]
    all_told: bool
    senders_known: bool = True

    def tables(
        self, waited: Waited
    ) -> tuple[dict[UUID, Measured], dict[UUID | None, Measured], Measured]:
        """A row for each office, one for each provider, and the sum of either: the same referrals twice, so that neither table may
        tell what the other withholds."""
        received = [one for one in self.done if one.kind is not DeedKind.SENT]
        offices = {one.office_id for one in received}
        providers = {one.provider_id for one in received}
        told = {
            kind: crossed(self._cells(kind), offices, providers, all_told=self.all_told)
            for kind in DeedKind
            if kind is not DeedKind.SENT
        }
        by_office: dict[DeedKind, Column[UUID]] = {kind: one for kind, (one, _) in told.items()}
        by_provider: dict[DeedKind, Column[UUID | None]] = {
            kind: one for kind, (_, one) in told.items()
        }
        return (
            self._rows(by_office, offices, waited.offices),
            self._rows(by_provider, providers, waited.providers),
            self._row({kind: one.total for kind, one in by_office.items()}, waited.total),
        )

    def _cells(self, kind: DeedKind) -> dict[tuple[UUID, UUID | None], tuple[int, ...]]:
        """How many of a kind by office and provider. Appointments that were over are told beside the missed ones: those that were
        kept are a part that must be no small cell either."""
        found = Counter[tuple[UUID, UUID | None]]()
        missed = Counter[tuple[UUID, UUID | None]]()
        for one in self.done:
            if one.kind is kind:
                found[one.office_id, one.provider_id] += one.count
            elif one.kind is DeedKind.NO_SHOW:
                missed[one.office_id, one.provider_id] += one.count
        if kind is DeedKind.APPOINTMENT_OVER:
            return {at: (count, count - missed[at]) for at, count in found.items()}
        return {at: (count,) for at, count in found.items()}

    def _rows(
        self, columns: Mapping[DeedKind, Column[K]], keys: Iterable[K], waits: Mapping[K, Waits]
    ) -> dict[K, Measured]:
        return {
            row: self._row({kind: one.cells[row] for kind, one in columns.items()}, waits.get(row))
            for row in keys
        }

    def column(
        self, key: Callable[[Done], K], keys: Iterable[K], done: Iterable[Done]
    ) -> Column[K]:
        """How many for each value of a key."""
        found = Counter(dict.fromkeys(keys, 0))
        for one in done:
            found[key(one)] += one.count
        return column(found, all_told=self.all_told)

    def reasons(self, kind: DeedKind) -> Column[str]:
        """How many for each coded reason."""
        done = [one for one in self.done if one.kind is kind]
        if kind is DeedKind.SENT:
            done = [one for one in done if one.outside_plan]
        return self.column(lambda one: one.reason_code or "UNKNOWN", (), done)

    def leakage(self) -> tuple[dict[UUID | None, Leakage], Leakage]:
        """By plan, and all; not told where it is not known who sent. Inside and outside of a plan are two cells of one column, so
        that neither tells the other."""
        if not self.senders_known:
            return {}, Leakage(None, None)
        sent = [one for one in self.done if one.kind is DeedKind.SENT]
        plans = {one.plan_id for one in sent}
        outside = self.column(_plan, plans, (one for one in sent if one.outside_plan))
        inside = self.column(_plan, plans, (one for one in sent if not one.outside_plan))
        rows = {
            plan: Leakage(_sum(inside.cells[plan], outside.cells[plan]), outside.cells[plan])
            for plan in plans
        }
        return rows, Leakage(_sum(inside.total, outside.total), outside.total)

    def _row(self, counts: Mapping[DeedKind, int | None], waits: Waits | None) -> Measured:
        told = {
            kind: wait
            for kind, wait in (waits or {}).items()
            if counts[kind] is not None  # so five or more, or all told
        }
        return Measured(counts, told)


def _plan(done: Done) -> UUID | None:
    return done.plan_id


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
