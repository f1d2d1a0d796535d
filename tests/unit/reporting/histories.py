"""Histories of referrals for the tests of reporting's pure rooms: told by hand, or drawn at random."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from services.reporting.domain import (
    OPEN,
    Change,
    GroupId,
    Outcome,
    PlanAcceptance,
    ReferralId,
    Status,
    Verb,
)

CARDIOLOGY, HEART, EMERGENCY = (GroupId(UUID(int=n)) for n in (1, 2, 3))
REFERRAL = ReferralId(UUID(int=100))
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEXT_MONDAY = MONDAY + 7 * DAY


@dataclass
class Told:
    """A referral whose changes are told one by one, each at some time after Monday."""

    referral_id: ReferralId = REFERRAL
    changes: list[Change] = field(default_factory=list)

    def tell(
        self,
        verb: Verb,
        status: Status,
        after: timedelta,
        group: GroupId | None = CARDIOLOGY,
        reason: str | None = None,
    ) -> "Told":
        """Add a change; sends and forwards begin a new hop."""
        hop = self.changes[-1].hop if self.changes else 0
        self.changes.append(
            Change(
                self.referral_id,
                len(self.changes) + 1,
                self.changes[-1].version + 1 if self.changes else 1,
                verb,
                status,
                hop + (verb in (Verb.SENT, Verb.FORWARDED)),
                group,
                None,
                reason,
                MONDAY + after,
            )
        )
        return self

    def sent(self, after: timedelta, group: GroupId | None = CARDIOLOGY) -> "Told":
        """The first thing that happens to a referral."""
        return self.tell(Verb.SENT, Status.PENDING, after, group)


_COMMANDS: dict[Status | None, tuple[tuple[Verb, Status | None], ...]] = {
    None: ((Verb.SENT, Status.PENDING),),
    Status.PENDING: (
        (Verb.ACKNOWLEDGED, Status.IN_PROGRESS),
        (Verb.SCHEDULED, Status.SCHEDULED),
        (Verb.FORWARDED, Status.PENDING),
    ),
    Status.IN_PROGRESS: (
        (Verb.SCHEDULED, Status.SCHEDULED),
        (Verb.COMPLETED, Status.COMPLETED),
        (Verb.FORWARDED, Status.PENDING),
    ),
    Status.SCHEDULED: (
        (Verb.SCHEDULED, Status.SCHEDULED),
        (Verb.APPOINTMENT_PASSED, Status.FOLLOW_UP),
        (Verb.APPOINTMENT_CANCELLED, Status.IN_PROGRESS),
        (Verb.NO_SHOW, Status.FOLLOW_UP),
        (Verb.COMPLETED, Status.COMPLETED),
    ),
    Status.FOLLOW_UP: (
        (Verb.NO_SHOW, Status.FOLLOW_UP),
        (Verb.SCHEDULED, Status.SCHEDULED),
        (Verb.COMPLETED, Status.COMPLETED),
        (Verb.FORWARDED, Status.PENDING),
    ),
    Status.COMPLETED: ((Verb.OUTCOME_ATTACHED, Status.COMPLETED),),
    Status.DECLINED: ((Verb.SENT, Status.PENDING), (Verb.COMPLETED, Status.COMPLETED)),
    Status.CANCELLED: (),
}
_WHILE_OPEN: tuple[tuple[Verb, Status | None], ...] = (
    (Verb.DECLINED, Status.DECLINED),
    (Verb.CANCELLED, Status.CANCELLED),
    (Verb.REASSIGNED, None),
    (Verb.SENDER_CHANGED, None),
    (Verb.MESSAGE_SENT, None),
    (Verb.COMPLETED, Status.COMPLETED),
)
_MOVES = (Verb.SENT, Verb.FORWARDED, Verb.REASSIGNED)


def _detail(draw: st.DrawFn, told: Told) -> None:
    """What some facts say beside: how it ended, when the appointment is, what insurance said."""
    change = told.changes[-1]
    if change.verb is Verb.COMPLETED:
        change = replace(change, outcome=draw(st.sampled_from(Outcome)))
    if change.verb is Verb.SCHEDULED:
        change = replace(
            change, appointment_at=change.occurred_at + draw(st.sampled_from([HOUR, DAY]))
        )
    if change.verb is Verb.SENT:
        known = draw(st.sampled_from([None, *PlanAcceptance]))
        change = replace(change, plan_acceptance=known, sending_group_id=EMERGENCY)
    if change.verb is Verb.MESSAGE_SENT:
        change = replace(change, version=told.changes[-2].version)
    told.changes[-1] = change


@st.composite
def referrals(draw: st.DrawFn) -> list[Change]:
    """The lawful history of one referral, which wanders between groups, providers and other organizations."""
    told = Told(ReferralId(draw(st.uuids())))
    status: Status | None = None
    after, group = timedelta(), None
    for _ in range(draw(st.integers(1, 9))):
        choices = _COMMANDS[status] + (_WHILE_OPEN if status in OPEN else ())
        if not choices:
            break
        verb, becomes = draw(st.sampled_from(choices))
        after += draw(st.sampled_from([timedelta(), HOUR, DAY, 3 * DAY, 8 * DAY]))
        if verb in _MOVES:
            group = draw(st.sampled_from([CARDIOLOGY, HEART, None]))
        status = becomes or status
        assert status is not None
        told.tell(verb, status, after, group, "NO_CAPACITY" if verb is Verb.DECLINED else None)
        _detail(draw, told)
    return told.changes


def told_twice(changes: list[Change]) -> list[Change]:
    """The same changes, as an organization on both sides hears them: each once for each side."""
    doubled = [change for change in changes for _ in range(2)]
    return [replace(change, sequence=place) for place, change in enumerate(doubled, start=1)]


HISTORIES = st.lists(referrals(), max_size=6)
