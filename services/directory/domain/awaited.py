"""Removals that somebody has asked for beforehand: the provider goes by itself as soon as nothing is open (R15)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from services.directory.domain.nouns import HeldUp, OfficeId, Provider, UserId


@dataclass(frozen=True, slots=True)
class AwaitedRemoval:
    """Who has asked, and which offices are to be left on the way. `held_up_by`: why it could not be when it was last looked at; None
    while nobody has looked."""

    asked_by: UserId
    asked_at: datetime
    office_ids: tuple[OfficeId, ...] = ()
    held_up_by: HeldUp | None = None

    def leaves(self, offices: Iterable[OfficeId]) -> bool:
        """Whether all of these offices are to be left on the way."""
        return set(offices) <= set(self.office_ids)


def awaited(provider: Provider) -> AwaitedRemoval | None:
    """What was asked for, if so."""
    if provider.removal_asked_by is None or provider.removal_asked_at is None:
        return None
    asked = provider.removal_asked_by, provider.removal_asked_at
    return AwaitedRemoval(*asked, provider.removal_offices, provider.removal_held_up)


def awaiting(provider: Provider, removal: AwaitedRemoval | None) -> Provider:
    """The provider once this is asked for; None: nothing is any more."""
    return replace(
        provider,
        removal_asked_by=removal.asked_by if removal else None,
        removal_asked_at=removal.asked_at if removal else None,
        removal_offices=removal.office_ids if removal else (),
        removal_held_up=removal.held_up_by if removal else None,
    )
