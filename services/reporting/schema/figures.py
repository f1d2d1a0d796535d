"""A week's figures as GraphQL tells them."""

from typing import Any

import strawberry

from services.reporting import domain
from services.reporting.domain import Number


@strawberry.type(
    description="A number, with the referrals it counts: one counted twice is there twice."
)
class ReportNumber:
    """A number that drills to ids."""

    counted: strawberry.Private[tuple[domain.ReferralId, ...]]
    count: int

    @strawberry.field
    def referral_ids(self) -> list[strawberry.ID]:
        """Told when asked for."""
        return [strawberry.ID(str(one)) for one in self.counted]


def number(ids: tuple[domain.ReferralId, ...]) -> ReportNumber:
    """As GraphQL tells it."""
    return ReportNumber(counted=ids, count=len(ids))


@strawberry.type(description="A part of a whole. The percentage has one decimal.")
class ReportRate:
    """A share."""

    part: int
    whole: int
    percent: float | None = strawberry.field(description="Null of nothing.")


def _rate(share: domain.Share) -> ReportRate:
    return ReportRate(part=share.part, whole=share.whole, percent=share.percent)


@strawberry.type(description="Declined referrals of one coded reason.")
class DeclinedForReason:
    """Declines by reason."""

    reason_code: str
    declined: ReportNumber = strawberry.field(description="Declined by the group.")
    rate: ReportRate = strawberry.field(description="Of all the group had in hand.")


@strawberry.type(description="Open work of an age in full days since the receiver was asked.")
class BacklogOfAge:
    """Backlog by age."""

    from_days: int
    to_days: int | None = strawberry.field(description="Included; null: and more.")
    open: ReportNumber


@strawberry.type
class MedianHours:
    """A median in hours, and how many referrals it is taken of."""

    hours: float
    referrals: int


@strawberry.type(
    description="The figures of a group's week. opening + received + reopened + reassignedIn - completed - cancelled"
    " - declined - forwardedOut - reassignedOut = closing."
)
class ReportFigures:
    """Figures."""

    opening: ReportNumber = strawberry.field(description="Open with the group when the week began.")
    received: ReportNumber = strawberry.field(description="Sent or forwarded to the group.")
    reopened: ReportNumber = strawberry.field(
        description="Sent again to the group that had closed them."
    )
    reassigned_in: ReportNumber = strawberry.field(
        description="Taken over from elsewhere in the organization."
    )
    completed: ReportNumber = strawberry.field(description="Completed by the group.")
    cancelled: ReportNumber = strawberry.field(description="Cancelled by their senders.")
    declined: ReportNumber
    forwarded_out: ReportNumber = strawberry.field(description="Forwarded to another receiver.")
    reassigned_out: ReportNumber = strawberry.field(
        description="Handed over to somebody else in the organization."
    )
    closing: ReportNumber = strawberry.field(description="Open with the group at the end.")
    sent: ReportNumber = strawberry.field(description="What the group sent as a sender (R22).")
    acknowledged: ReportNumber = strawberry.field(description="Taken up for the first time.")
    scheduled: ReportNumber = strawberry.field(description="Given an appointment.")
    appointments_passed: ReportNumber = strawberry.field(
        description="Appointments that passed without a report of what happened."
    )
    no_shows: ReportNumber = strawberry.field(description="Appointments that the patient missed.")
    overdue: ReportNumber = strawberry.field(
        description="At the end: pending for more than 7 days, or undecided for more than 14."
    )
    unworked: ReportNumber = strawberry.field(
        description="Open at the end, and nobody of either side did anything about it in the week."
    )
    first_actions: ReportNumber = strawberry.field(
        description="First acted on by the group; what toFirstAction is taken of."
    )
    first_scheduled: ReportNumber = strawberry.field(
        description="Given their first appointment; what toSchedule and toAppointment are taken of."
    )
    appointments_over: ReportNumber = strawberry.field(
        description="Appointments kept or missed by what was reported in the week, and those that passed in it unreported."
    )
    completed_seen: ReportNumber = strawberry.field(
        description="Of the completed, those whose patient was seen."
    )
    loops_closed: ReportNumber = strawberry.field(
        description="Of the completed, those whose outcome was reported back by the end."
    )
    outcomes_attached: ReportNumber = strawberry.field(
        description="Outcomes reported back for the first time, whenever the referral was completed."
    )
    sent_with_known_plan: ReportNumber = strawberry.field(
        description="Of the sent, those of which insurance knew whether the receiver takes the plan."
    )
    sent_outside_plan: ReportNumber = strawberry.field(
        description="Of those, sent to a receiver that is not listed for the plan: leakage."
    )
    no_show_rate: ReportRate = strawberry.field(description="noShows of appointmentsOver.")
    decline_rate: ReportRate = strawberry.field(
        description="declined of all the group had in hand: opening and what arrived."
    )
    loop_closure: ReportRate = strawberry.field(description="loopsClosed of completed.")
    leakage: ReportRate = strawberry.field(description="sentOutsidePlan of sentWithKnownPlan.")
    declined_by_reason: list[DeclinedForReason] = strawberry.field(
        description="The declined, by coded reason."
    )
    backlog_by_age: list[BacklogOfAge] = strawberry.field(
        description="The open at the end, by age; the four buckets add up to closing."
    )
    to_first_action: MedianHours | None = strawberry.field(description="From asked to first done.")
    to_schedule: MedianHours | None = strawberry.field(description="From asked to scheduled.")
    to_completion: MedianHours | None = strawberry.field(description="From asked to completed.")
    to_appointment: MedianHours | None = strawberry.field(
        description="From asked to the time of the first appointment."
    )
    reconciles: bool = strawberry.field(
        description="Whether the sum above holds for each referral."
    )
    unexplained_referral_ids: list[strawberry.ID] = strawberry.field(
        description="The referrals for which it does not hold: facts about them are missing."
    )


_AGES: tuple[tuple[int, int | None, Number], ...] = (
    (0, 3, Number.BACKLOG_0_TO_3_DAYS),
    (4, 7, Number.BACKLOG_4_TO_7_DAYS),
    (8, 14, Number.BACKLOG_8_TO_14_DAYS),
    (15, None, Number.BACKLOG_15_DAYS_AND_MORE),
)
_IN_BACKLOG = frozenset(number for _, _, number in _AGES)


def figures(told: domain.Figures) -> ReportFigures:
    """As GraphQL tells them."""
    numbers: dict[str, Any] = {
        one.value: number(told.numbers[one]) for one in Number if one not in _IN_BACKLOG
    }
    rates: dict[str, Any] = {rate.value: _rate(told.rate(rate)) for rate in domain.Rate}
    return ReportFigures(
        **numbers,
        **rates,
        declined_by_reason=_reasons(told),
        backlog_by_age=[
            BacklogOfAge(from_days=low, to_days=high, open=number(told.numbers[aged]))
            for low, high, aged in _AGES
        ],
        to_first_action=_median(told.to_first_action),
        to_schedule=_median(told.to_schedule),
        to_completion=_median(told.to_completion),
        to_appointment=_median(told.to_appointment),
        reconciles=told.reconciles,
        unexplained_referral_ids=[strawberry.ID(str(one)) for one in told.unexplained],
    )


def _reasons(told: domain.Figures) -> list[DeclinedForReason]:
    whole = told.rate(domain.Rate.DECLINE).whole
    return [
        DeclinedForReason(
            reason_code=code, declined=number(ids), rate=_rate(domain.Share(len(ids), whole))
        )
        for code, ids in told.declined_by_reason.items()
    ]


def _median(told: domain.MedianHours | None) -> MedianHours | None:
    return None if told is None else MedianHours(hours=told.hours, referrals=told.referrals)
