"""What closings, reopenings and removals are given."""

from datetime import date

import strawberry

from kit.ids import parse_id
from services.directory.actions.closing import Closing
from services.directory.actions.group_removal import GroupRemoval
from services.directory.actions.removal import Removal
from services.directory.actions.staying import Reopening
from services.directory.domain.closures import Move
from services.directory.domain.nouns import Handover, ProviderId
from services.directory.schema.inputs import seen

SEEN_BEFORE = "The preview's: what it showed must stand, or the verb is refused with STALE_PREVIEW."


@strawberry.input(description="A provider who goes on at another office.")
class MoveInput:
    """MoveInput."""

    provider_id: strawberry.ID
    to_office_id: strawberry.ID


@strawberry.input
class CloseOfficeInput:
    """CloseOfficeInput."""

    office_id: strawberry.ID
    expected_version: int = seen()
    token: str = strawberry.field(description=SEEN_BEFORE)
    closes_on: date | None = strawberry.field(
        default=None, description="The first day without it, on its own calendar; null: today."
    )
    cut_off_on: date | None = strawberry.field(
        default=None, description="From this day on nothing is sent to it; null: from now on."
    )
    moves: list[MoveInput] = strawberry.field(
        default_factory=list,
        description="Who goes on where, from closesOn. Plans are not taken along: they are to be looked at there.",
    )
    confirm_orphans: bool = strawberry.field(
        default=False, description="Close it though providers would then work nowhere (R19)."
    )
    confirm_appointments: bool = strawberry.field(
        default=False, description="Close it though patients are booked for later."
    )
    confirm_last_office: bool = strawberry.field(
        default=False, description="Close it though it is the last one."
    )

    def closing(self) -> Closing:
        """As the verb takes it."""
        confirmed = {
            "PROVIDERS_ORPHANED": self.confirm_orphans,
            "APPOINTMENTS_AFTER_CLOSING": self.confirm_appointments,
            "LAST_OFFICE": self.confirm_last_office,
        }
        moves = (
            Move(
                parse_id(one.provider_id, "moves.providerId"),
                parse_id(one.to_office_id, "moves.toOfficeId"),
            )
            for one in self.moves
        )
        return Closing(
            self.token,
            self.closes_on,
            self.cut_off_on,
            tuple(moves),
            frozenset(code for code, heard in confirmed.items() if heard),
        )


@strawberry.input
class ReopenOfficeInput:
    """ReopenOfficeInput."""

    office_id: strawberry.ID
    expected_version: int = seen()
    go_live_on: date = strawberry.field(
        description="Its first day, by the rule of addOffice (R16)."
    )
    acknowledge_short_lead_time: bool = False
    reason: str | None = None
    acknowledge_duplicate: bool = False

    def reopening(self) -> Reopening:
        """As the verb takes it."""
        return Reopening(
            self.go_live_on,
            self.acknowledge_short_lead_time,
            self.reason,
            self.acknowledge_duplicate,
        )


@strawberry.input
class RemoveProviderInput:
    """RemoveProviderInput."""

    provider_id: strawberry.ID
    expected_version: int = seen()
    token: str = strawberry.field(description=SEEN_BEFORE)
    end_placements: bool = strawberry.field(
        default=False, description="Leave every office on the way, all in one case (R15)."
    )

    def removal(self) -> Removal:
        """As the verb takes it."""
        return Removal(self.token, self.end_placements)


@strawberry.input(description="Who of the members takes an open referral.")
class HandoverInput:
    """HandoverInput."""

    referral_id: strawberry.ID
    provider_id: strawberry.ID


@strawberry.input(
    description="Who of the members takes what else is open at an office of the group."
)
class RestInput:
    """RestInput."""

    office_id: strawberry.ID
    provider_id: strawberry.ID


@strawberry.input
class RemoveGroupInput:
    """RemoveGroupInput."""

    group_id: strawberry.ID
    expected_version: int = seen()
    token: str = strawberry.field(description=SEEN_BEFORE)
    redistribution: list[HandoverInput] = strawberry.field(
        default_factory=list,
        description="For each open referral the member who takes it; an appointment with another one is void.",
    )
    rest: list[RestInput] = strawberry.field(
        default_factory=list,
        description="For each office the member who takes every open referral that redistribution does not name, however many"
        " they are, and those that come until the fence stands.",
    )

    def removal(self) -> GroupRemoval:
        """As the verb takes it."""
        handovers = (
            Handover(
                ProviderId(parse_id(one.provider_id, "redistribution.providerId")),
                referral_id=parse_id(one.referral_id, "redistribution.referralId"),
            )
            for one in self.redistribution
        )
        rest = (
            Handover(
                ProviderId(parse_id(one.provider_id, "rest.providerId")),
                office_id=parse_id(one.office_id, "rest.officeId"),
            )
            for one in self.rest
        )
        return GroupRemoval(self.token, (*handovers, *rest))
