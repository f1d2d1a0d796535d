"""How well accounts, coverage and what is listed are kept, as GraphQL tells it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TypeAlias

import strawberry

from kit.graphql import Context, described
from services.reporting.actions import hygiene as actions
from services.reporting.actions.peers import Peers
from services.reporting.domain import hygiene as domain
from services.reporting.schema.figures import ReportRate
from services.reporting.schema.offices import Office
from services.reporting.schema.people import User
from services.reporting.schema.performance import rate

Info: TypeAlias = strawberry.Info[Context[Peers], None]


@strawberry.type
class NeglectedAccount:
    """Somebody whose account wants looking after."""

    user: User | None
    since: datetime
    invite_expired: bool = strawberry.field(
        description="The first password was not set within 48 hours."
    )


@strawberry.type
class NeglectedAccounts:
    """Some accounts."""

    count: int
    oldest: list[NeglectedAccount] = strawberry.field(description="The first hundred.")

    @classmethod
    def of(cls, found: Sequence[domain.Account]) -> "NeglectedAccounts":
        """As GraphQL tells it."""
        return cls(
            count=len(found),
            oldest=[
                NeglectedAccount(
                    user=User.of(one.user_id), since=one.since, invite_expired=one.invite_expired
                )
                for one in found[: domain.SHOWN]
            ],
        )


@strawberry.type(
    description="How well accounts are kept: of the whole organization, or of an office admin's own offices."
)
class AccountHygieneReport:
    """Account hygiene (R04, R07, R18)."""

    data_as_of: datetime | None = strawberry.field(description="The last fact that was heard.")
    unconfirmed: NeglectedAccounts = strawberry.field(description="Invited and not confirmed.")
    inactive: NeglectedAccounts = strawberry.field(
        description="Deactivated for not signing in for 90 days. They belong to no office: for client admins."
    )
    uncovered_offices: list[Office | None] = strawberry.field(
        description="Live or closing offices at which nobody works who has confirmed, by name."
    )


@strawberry.type(description="How long ago somebody said that it is still true.")
class VerificationAges:
    """Ages."""

    within_30_days: int = strawberry.field(name="within30Days")
    within_60_days: int = strawberry.field(name="within60Days", description="31 to 60 days.")
    within_90_days: int = strawberry.field(name="within90Days", description="61 to 90 days.")
    stale: int = strawberry.field(description="More than 90 days.")
    never: int
    fresh: ReportRate = strawberry.field(description="Within 90 days, of all.")

    @classmethod
    def of(cls, ages: domain.Ages) -> "VerificationAges":
        """As GraphQL tells it."""
        counts = {age.value.lower(): count for age, count in ages.counts.items()}
        share = ages.fresh
        fresh = ReportRate(part=share.part, whole=share.whole, percent=share.percent)
        return cls(**counts, fresh=fresh)


@strawberry.type
class OfficeAccuracy:
    """What is listed of plans at an office."""

    office: Office | None
    participations: VerificationAges


@strawberry.type(description="The ages of what is listed, on a day.")
class DirectoryAccuracyReport:
    """Directory accuracy (R27, R29)."""

    on: date = strawberry.field(description="Today, in the organization's time zone.")
    data_as_of: datetime | None = strawberry.field(description="The last fact that was heard.")
    profiles: VerificationAges = strawberry.field(
        description="Approved profiles of providers; a profile counts as verified when it is approved."
    )
    participations: VerificationAges = strawberry.field(description="Who accepts which plan where.")
    offices: list[OfficeAccuracy] = strawberry.field(description="The stalest first.")

    @classmethod
    def of(cls, one: domain.DirectoryAccuracy) -> "DirectoryAccuracyReport":
        """As GraphQL tells it."""
        stalest = sorted(one.offices.items(), key=lambda row: (row[1].fresh.percent, str(row[0])))
        return cls(
            on=one.on,
            data_as_of=one.data_as_of,
            profiles=VerificationAges.of(one.profiles),
            participations=VerificationAges.of(one.participations),
            offices=[
                OfficeAccuracy(office=Office.of(id_), participations=VerificationAges.of(ages))
                for id_, ages in stalest
            ],
        )


@strawberry.type(description="A review of what is accepted where.")
class InsuranceReview:
    """Insurance review (R29)."""

    campaign_id: strawberry.ID
    kind: str = strawberry.field(description="YEAR_START or MAJOR_CHANGE.")
    opened_at: datetime
    due_on: date
    progress: ReportRate | None = strawberry.field(
        description="Items attested, of those it opened with."
    )
    escalated_at: datetime | None = strawberry.field(
        description="When it was due and items were open."
    )
    closed_at: datetime | None
    closed_because: str | None = strawberry.field(description="DONE, CALLED_OFF or SUPERSEDED.")

    @classmethod
    def of(cls, one: domain.Campaign) -> "InsuranceReview":
        """As GraphQL tells it."""
        return cls(
            campaign_id=strawberry.ID(str(one.campaign_id)),
            kind=one.kind,
            opened_at=one.opened_at,
            due_on=one.due_on,
            progress=rate(one.progress),
            escalated_at=one.escalated_at,
            closed_at=one.closed_at,
            closed_because=one.closed_because,
        )


@strawberry.type
class HygieneQuery:
    """Client admins read these of the whole organization, office admins of their offices, insurance managers those of insurance."""

    @described("Unconfirmed and inactive accounts, and offices without coverage.")
    async def account_hygiene_report(self, info: Info) -> AccountHygieneReport:
        """Account hygiene."""
        found = await actions.account_hygiene(info.context.call)
        return AccountHygieneReport(
            data_as_of=found.data_as_of,
            unconfirmed=NeglectedAccounts.of(found.unconfirmed),
            inactive=NeglectedAccounts.of(found.inactive),
            uncovered_offices=[Office.of(one) for one in found.uncovered],
        )

    @described("How long ago profiles, and what is listed of plans, were verified.")
    async def directory_accuracy_report(self, info: Info) -> DirectoryAccuracyReport:
        """Directory accuracy."""
        return DirectoryAccuracyReport.of(await actions.directory_accuracy(info.context.call))

    @described(
        "The insurance reviews of the organization that are open or were closed within 400 days, the newest first: for client admins"
        " and insurance managers."
    )
    async def insurance_review_report(self, info: Info) -> list[InsuranceReview]:
        """Insurance reviews."""
        found = await actions.insurance_reviews(info.context.call)
        return [InsuranceReview.of(one) for one in found]
