"""Scorecards as GraphQL tells them, and the rules they follow (R32)."""

from datetime import date, datetime
from typing import Annotated, TypeAlias

import strawberry

from kit.graphql import CommonProblems, Context, described, mutation
from services.reporting.actions import findings as actions
from services.reporting.actions.findings import RuleSeen
from services.reporting.actions.peers import Peers
from services.reporting.domain import Share
from services.reporting.domain import scorecards as domain
from services.reporting.domain.results import Restatement, Result
from services.reporting.schema.figures import ReportRate
from services.reporting.schema.people import User

Info: TypeAlias = strawberry.Info[Context[Peers], None]

ScorecardMeasure = strawberry.enum(
    domain.Measure,
    name="ScorecardMeasure",
    description="FIRST_ACTION_IN_TIME: of the referrals first acted on in the week, and those still waiting beyond the target at"
    " its end, how many in time. ATTENDANCE_REPORTED: of the appointments that were over, how many were reported on."
    " DECLINES_EXPLAINED: of the declines, how many with words besides the coded reason. PLANS_VERIFIED: of what insurance lists"
    " on the day after the week, how much was verified within 90 days. DRAFTS_IN_TIME: of the drafts that were sent or dropped in the"
    " week, and those still kept beyond the target at its end, how many were sent or dropped in time.",
)
ScorecardVerdict = strawberry.enum(
    domain.Verdict,
    name="ScorecardVerdict",
    description="NOT_ENOUGH_DATA: there were fewer cases than the rule asks for.",
)


def rate(share: Share) -> ReportRate:
    """A share as GraphQL tells it."""
    return ReportRate(part=share.part, whole=share.whole, percent=share.percent)


@strawberry.type(
    description="What the rule says of the week since facts that came late changed it; they are looked for during four weeks."
)
class ScorecardRestatement:
    """Restatement."""

    restated_at: datetime
    figure: ReportRate | None = strawberry.field(
        description="Null of 1 to 4 referrals, but for office admins of all its offices."
    )
    verdict: ScorecardVerdict  # type: ignore[valid-type]
    missed_referral_ids: list[strawberry.ID]

    @classmethod
    def of(cls, told: Restatement) -> "ScorecardRestatement":
        """As GraphQL tells it."""
        return cls(
            restated_at=told.restated_at,
            figure=rate(told.share) if told.share else None,
            verdict=told.verdict,
            missed_referral_ids=[strawberry.ID(str(one)) for one in told.missed],
        )


@strawberry.type(
    description="What a rule said of an office's or group's week when it was measured. It never changes; what late facts change stands"
    " beside it."
)
class ScorecardResult:
    """Result."""

    measure: ScorecardMeasure  # type: ignore[valid-type]
    week_of: date = strawberry.field(description="The Monday the week starts with.")
    rule_version: int
    at_least_percent: int = strawberry.field(description="What the rule asks for.")
    figure: ReportRate | None = strawberry.field(
        description="Null of 1 to 4 referrals, but for office admins of all its offices."
    )
    verdict: ScorecardVerdict  # type: ignore[valid-type]
    missed_referral_ids: list[strawberry.ID] = strawberry.field(
        description="The referrals with which it did not go well; none where the figure is not told."
    )
    restated: ScorecardRestatement | None = strawberry.field(
        description="Null while it says what it said."
    )

    @classmethod
    def of(cls, told: Result) -> "ScorecardResult":
        """As GraphQL tells it."""
        return cls(
            measure=told.measure,
            week_of=told.week_of,
            rule_version=told.rule_number,
            at_least_percent=told.percent,
            figure=rate(told.share) if told.share else None,
            verdict=told.verdict,
            missed_referral_ids=[strawberry.ID(str(one)) for one in told.missed],
            restated=ScorecardRestatement.of(told.restated) if told.restated else None,
        )


@strawberry.type(
    description="The rule of a measure. A week has the version that was in force when it began."
)
class ScorecardRule:
    """Rule."""

    measure: ScorecardMeasure  # type: ignore[valid-type]
    version: int
    at_least_percent: int = strawberry.field(description="Less misses the rule.")
    cases: int = strawberry.field(description="Of fewer cases nothing is said: 5 at least.")
    target_days: int | None = strawberry.field(
        description="Of FIRST_ACTION_IN_TIME and DRAFTS_IN_TIME: how many days are in time."
    )
    watched: bool = strawberry.field(description="Whether it is measured at all.")
    from_week: date | None = strawberry.field(
        description="The first week it is for; null: what the product begins with."
    )
    set_by: User | None
    set_at: datetime | None
    later: "ScorecardRule | None" = strawberry.field(
        description="The version that weeks to come will have, if it is another."
    )

    @classmethod
    def of(cls, told: RuleSeen) -> "ScorecardRule":
        """As GraphQL tells it."""
        later = cls.of(RuleSeen(told.later, None)) if told.later else None
        rule = told.now
        return cls(
            measure=rule.measure,
            version=rule.number,
            at_least_percent=rule.percent,
            cases=rule.cases,
            target_days=rule.target_days,
            watched=rule.watched,
            from_week=rule.from_week,
            set_by=User.of(rule.set_by) if rule.set_by else None,
            set_at=rule.set_at,
            later=later,
        )


@strawberry.type
class ScorecardQuery:
    """By what offices and groups are measured."""

    @described(
        "The rules of the organization's scorecards. For client admins, and office admins, who read those of their offices."
    )
    async def scorecard_rules(self, info: Info) -> list[ScorecardRule]:
        """Rules (R32)."""
        return [ScorecardRule.of(one) for one in await actions.rules(info.context.call)]


ChangeScorecardRuleResult = Annotated[
    ScorecardRule | CommonProblems, strawberry.union("ChangeScorecardRuleResult")
]


@strawberry.input
class ChangeScorecardRuleInput:
    """What of a rule is to be another from next week on. `expectedVersion`: of the newest version, also if it is for later."""

    measure: ScorecardMeasure  # type: ignore[valid-type]
    expected_version: int
    at_least_percent: int | None = None
    cases: int | None = None
    target_days: int | None = None
    watched: bool | None = None


@strawberry.type
class ScorecardMutation:
    """Client admins set the rules."""

    @mutation
    async def change_scorecard_rule(
        self, info: Info, input: ChangeScorecardRuleInput
    ) -> ChangeScorecardRuleResult:
        """Set another version of a rule, for the weeks after this one (R32)."""
        wanted = domain.RuleChange(
            input.at_least_percent, input.cases, input.target_days, input.watched
        )
        told = await actions.change_rule(
            info.context.call, input.measure, wanted, input.expected_version
        )
        return ScorecardRule.of(told)
