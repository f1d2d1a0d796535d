"""What is shown of a provider's making, within its organization only (R11)."""

import strawberry

from kit.graphql import described
from services.directory import policy
from services.directory.domain import nouns, profiles
from services.directory.domain.awaited import awaited
from services.directory.schema import loading
from services.directory.schema.words import AwaitedRemoval, Info, PendingChange


@strawberry.type
class ProviderMaking:
    """Part of Provider."""

    row: strawberry.Private[nouns.Provider]

    @described("What must be given before the profile can be approved (R11).")
    async def missing(self, info: Info) -> list[str]:
        """Within the organization only."""
        if not self._own(info):
            return []
        needs = await loading.approval_needs(info, self.row.organization_id)
        standing = await loading.standing(info, self.row)
        return list(profiles.missing(self.row.profile, needs, standing))

    @described(
        "Whatever a profile should have and this one has not, whether the organization wants it before an approval or not:"
        " npi, specialtyCodes, phone, offices, plans (R11)."
    )
    async def gaps(self, info: Info) -> list[str]:
        """Within the organization only."""
        if not self._own(info):
            return []
        return list(profiles.gaps(self.row.profile, await loading.standing(info, self.row)))

    @described("Within the organization only; nobody has looked at the profile for 90 days (R11).")
    def reverify_due(self, info: Info) -> bool:
        """Look at it and say so with verifyProvider."""
        return self._own(info) and profiles.reverify_due(self.row, info.context.call.clock.now())

    @described("Within the organization only.")
    def email(self, info: Info) -> str | None:
        """Where mail reaches the provider."""
        return self.row.email or None if self._own(info) else None

    @described("Why the profile was rejected.")
    def rejection_reason(self, info: Info) -> str | None:
        """Within the organization only."""
        return self.row.rejection_reason if self._own(info) else None

    @described("A change that waits for its approval; until then the old values hold (R11).")
    def pending_change(self, info: Info) -> PendingChange | None:
        """Within the organization only."""
        proposed = self.row.proposed
        return PendingChange.of(proposed) if proposed and self._own(info) else None

    @described(
        "That somebody has asked for the provider to be removed once nothing is open, with removeWhenEmpty (R15). Within the"
        " organization only."
    )
    def awaited_removal(self, info: Info) -> AwaitedRemoval | None:
        """Until it is removed, kept or called off."""
        asked = awaited(self.row)
        return AwaitedRemoval.of(asked) if asked and self._own(info) else None

    def _own(self, info: Info) -> bool:
        return policy.is_own(info.context.call.viewer, self.row.organization_id)
