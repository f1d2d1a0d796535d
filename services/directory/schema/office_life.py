"""What is shown of an office's life: its hours to everybody, who works for it and what it lacks within its organization only."""

import strawberry

from kit.graphql import described
from services.directory import policy
from services.directory.domain import nouns, places
from services.directory.domain.days import roster_stands
from services.directory.domain.hours import is_open
from services.directory.schema import loading
from services.directory.schema.words import (
    Info,
    OfficeReadiness,
    OfficeWarning,
    OpeningHours,
    RosterAttestation,
    User,
    id_of,
)


@strawberry.type
class OfficeLife:
    """Part of Office."""

    row: strawberry.Private[nouns.Office]

    @described("What somebody should look at, such as NO_GEOCODE and STAFF_OVERLOADED.")
    async def warnings(self, info: Info) -> list[OfficeWarning]:
        """Within the organization only."""
        if not self._own(info):
            return []
        found = places.warnings(self.row, await loading.overloaded(info, self.row))
        return [OfficeWarning.of(one) for one in found]

    @described("Why it was added less than a week before its first day (R16).")
    def short_lead_time_reason(self, info: Info) -> str | None:
        """Within the organization only."""
        return self.row.lead_reason if self._own(info) else None

    @described("From Monday on; empty when nobody has said.")
    def hours(self) -> list[OpeningHours]:
        """When it is open."""
        return [OpeningHours.of(one) for one in self.row.hours]

    @described("By its hours and the clock on its wall; null when its hours are not known.")
    def open_now(self, info: Info) -> bool | None:
        """Whether it is open."""
        now, row = info.context.call.clock.now(), self.row
        return is_open(row.hours, row.time_zone, now) if row.hours else None

    @described("Who works for it, invited ones too; shown within the organization only.")
    async def roster(self, info: Info) -> list[User | None]:
        """R18."""
        users = await loading.roster(info, self.row) if self._own(info) else ()
        return [User(id=id_of(one)) for one in users]

    @described("Shown within the organization only; null before the first.")
    async def roster_attestation(self, info: Info) -> RosterAttestation | None:
        """R18."""
        row = self.row
        if not self._own(info) or row.roster_attested_at is None or row.roster_attested_by is None:
            return None
        return RosterAttestation(
            at=row.roster_attested_at,
            by=User(id=id_of(row.roster_attested_by)),
            users=[User(id=id_of(one)) for one in row.roster_attested],
            stands=roster_stands(row, await loading.roster(info, row)),
        )

    @described(
        "Who answers for its referrals, named with its roster; null when nobody does any more. Shown within the organization only (R18)."
    )
    async def referral_owner(self, info: Info) -> User | None:
        """Null before the first attestation, and once they work there no more: then the roster is to be attested anew."""
        owner = self.row.referral_owner
        if owner is None or not self._own(info):
            return None
        return User(id=id_of(owner)) if owner in await loading.roster(info, self.row) else None

    @described("What it has of what it needs to go live; null for other organizations' offices.")
    async def readiness(self, info: Info) -> OfficeReadiness | None:
        """R16, R18."""
        if not self._own(info):
            return None
        return OfficeReadiness.of(await loading.readiness(info, self.row))

    def _own(self, info: Info) -> bool:
        return policy.is_own(info.context.call.viewer, self.row.organization_id)
