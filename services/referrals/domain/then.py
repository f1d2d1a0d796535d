"""How a referral was at a moment: its ends by the spans that were kept, for the policy of today to judge."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from kit.errors import Invalid
from services.referrals.domain.nouns import (
    GroupId,
    Hop,
    HopEnd,
    OfficeId,
    OrganizationId,
    Party,
    ProviderId,
    Referral,
    ReferralId,
    Side,
)


@dataclass(frozen=True, slots=True)
class EndThen:
    """An end of a referral over a span (half-open). `went_on`: the referral went on to another receiver, who is the next hop."""

    referral_id: ReferralId
    side: Side
    hop: int
    organization_id: OrganizationId
    office_id: OfficeId
    provider_id: ProviderId | None
    group_id: GroupId | None
    from_at: datetime
    until_at: datetime | None
    went_on: bool

    @property
    def party(self) -> Party:
        """The end."""
        return Party(self.organization_id, self.office_id, self.provider_id, self.group_id)

    def stood(self, on: datetime) -> bool:
        """Whether it was an end at that moment."""
        return self.from_at <= on and (self.until_at is None or on < self.until_at)

    def was_past(self, on: datetime) -> bool:
        """Whether it was a past receiver at that moment."""
        return self.went_on and self.until_at is not None and self.until_at <= on


@dataclass(frozen=True, slots=True)
class Then:
    """A referral with its past receivers, as far as one organization's own ends went."""

    referral: Referral
    hops: tuple[Hop, ...]

    @property
    def parties(self) -> list[Party]:
        """Every end at which somebody could have seen it."""
        receiver = self.referral.receiver if self.referral.sent_at else None
        ends = [self.referral.sender, receiver, *(hop.party for hop in self.hops)]
        return [end for end in ends if end is not None]


def as_it_was(
    referral: Referral, own: Sequence[EndThen], elsewhere: OrganizationId, on: datetime
) -> Then:
    """The referral with the ends it had at a moment. An end that was not the organization's is `elsewhere`; whether a receiver worked
    outside of the suite is not kept, and nobody sees a referral for that."""
    standing = {end.side: end.party for end in own if end.stood(on)}
    nobody = Party(elsewhere, OfficeId(elsewhere))
    sender = standing.get(Side.SENDING, nobody)
    receiver = standing.get(Side.RECEIVING, nobody)
    then = replace(
        referral,
        sending_organization_id=sender.organization_id,
        sending_office_id=sender.office_id,
        sending_provider_id=sender.provider_id,
        sending_group_id=sender.group_id,
        receiving_organization_id=receiver.organization_id,
        receiving_office_id=receiver.office_id,
        receiving_provider_id=receiver.provider_id,
        receiving_group_id=receiver.group_id,
        externally_managed=False,
    )
    return Then(then, tuple(_hop(end) for end in own if end.was_past(on)))


def _hop(end: EndThen) -> Hop:
    return Hop(
        end.referral_id, end.hop, end.organization_id, end.office_id, end.provider_id, end.group_id,
        end.from_at, end.until_at, HopEnd.FORWARDED, None,
    )  # fmt: skip


def past_moment(on: datetime, now: datetime) -> datetime:
    """The moment, in UTC. Refuses what has no time zone, lies outside of all calendars, or is still to come: nobody knows yet who
    will."""
    if on.tzinfo is None:
        raise Invalid("on needs a time zone.", field="on", remedy="End it with Z.")
    try:
        moment = on.astimezone(UTC)
    except OverflowError:
        raise Invalid("on is no moment of ours.", field="on") from None
    if moment > now:
        raise Invalid("That is still to come.", code="TIME_AHEAD", field="on")
    return moment
