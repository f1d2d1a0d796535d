"""What removing a provider or a group would touch, and who takes what of a group (R12, R15, R24)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from kit.errors import Conflict, Invalid
from services.directory.domain.closures import PlanRow
from services.directory.domain.fences import OpenReferral, OpenWork
from services.directory.domain.nouns import Group, Handover, Placement, Provider, ProviderId


@dataclass(frozen=True, slots=True)
class ProviderImpact:
    """What removing a provider would touch. `plan_rows` are those at the offices where the provider works: at others insurance ends
    them already, in its own time."""

    provider: Provider
    placements: tuple[Placement, ...]
    groups: tuple[Group, ...]
    work: OpenWork
    plan_rows: tuple[PlanRow, ...]

    @property
    def emptied_groups(self) -> tuple[Group, ...]:
        """The groups that would have no member."""
        return tuple(one for one in self.groups if one.provider_ids == (self.provider.id,))

    @property
    def parts(self) -> Mapping[str, object]:
        """What its token is bound to."""
        return {
            "provider": (self.provider.id, self.provider.version),
            "placements": [(one.id, one.version) for one in self.placements],
            "groups": [(one.id, one.version) for one in self.groups],
            "open_referrals": (self.work.total, self.work.referrals),
            "plans": [
                (one.participation_id, one.provider_id, one.office_id, one.plan_id)
                for one in self.plan_rows
            ],
        }

    @property
    def gone(self) -> frozenset[str]:
        """The parts in which nothing is left: whatever was seen there, its going does nobody any harm."""
        left = {
            "placements": self.placements,
            "groups": self.groups,
            "open_referrals": self.work.total,
            "plans": self.plan_rows,
        }
        return frozenset(name for name, part in left.items() if not part)


@dataclass(frozen=True, slots=True)
class Taker:
    """A member of a group, with the offices of it where the member works now and where new patients are accepted."""

    provider: Provider
    office_ids: frozenset[UUID]
    accepting_at: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class GroupImpact:
    """What removing a group would touch."""

    group: Group
    takers: tuple[Taker, ...]
    work: OpenWork

    @property
    def parts(self) -> Mapping[str, object]:
        """What its token is bound to."""
        return {
            "group": (self.group.id, self.group.version),
            "members": [
                (one.provider.id, one.provider.state, one.office_ids, one.accepting_at)
                for one in self.takers
            ],
            "open_referrals": (self.work.total, self.work.referrals),
        }


def counted(referrals: Iterable[OpenReferral]) -> dict[tuple[str, str, str], int]:
    """How many there are by status, side and office."""
    return Counter((one.status, one.side, one.office_id) for one in referrals)


def require_distinct(handovers: Collection[Handover]) -> None:
    """Each referral goes to one member, and so does what else is at an office."""
    if len({one.referral_id or one.office_id for one in handovers}) != len(handovers):
        raise Invalid(
            "A referral or an office is named twice.",
            code="DUPLICATE",
            field="redistribution",
            remedy="Say once for each referral, and once for each office, who takes it.",
        )


def allotted(work: OpenWork, handovers: Iterable[Handover]) -> dict[UUID, ProviderId]:
    """Who takes each of the open referrals: who was named for it, else who takes what is left at its office. Others are nobody's."""
    named = {str(one.referral_id or one.office_id): one.provider_id for one in handovers}
    takers = (
        (one.referral_id, named.get(one.referral_id) or named.get(one.office_id))
        for one in work.referrals
    )
    return {UUID(referral_id): taker for referral_id, taker in takers if taker is not None}


def untaken(work: OpenWork, taken: Collection[UUID]) -> OpenWork:
    """The open referrals that nobody takes; where more are open than can be told, those as well."""
    left = tuple(one for one in work.referrals if UUID(one.referral_id) not in taken)
    return OpenWork(work.total - len(work.referrals) + len(left), left)


def unfit(
    handover: Handover, takers: Mapping[ProviderId, Taker], work: OpenWork
) -> Conflict | None:
    """Why the member cannot take the referral, or those at the office: no member, or does not work where they are."""
    taker = takers.get(handover.provider_id)
    if taker is None:
        return Conflict("The provider is not an approved member of the group.", code="NOT_A_MEMBER")
    offices = {one.referral_id: one.office_id for one in work.referrals}
    office = (
        str(handover.office_id) if handover.office_id else offices.get(str(handover.referral_id))
    )
    if office is not None and UUID(office) not in taker.office_ids:
        return Conflict(
            "The provider does not work at the office of what they are to take.", code="NOT_PLACED"
        )
    return None
