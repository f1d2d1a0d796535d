"""Findings as GraphQL tells them, and what is done about them (R32)."""

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias
from uuid import UUID

import strawberry

from kit.graphql import (
    CommonProblems,
    Connection,
    Context,
    after_id,
    connection,
    described,
    mutation,
    page_of,
)
from kit.ids import parse_id
from services.reporting import policy
from services.reporting.actions import findings as actions
from services.reporting.actions import proposals as proposal_actions
from services.reporting.actions import trainings as training_actions
from services.reporting.actions.peers import Peers
from services.reporting.actions.trainings import TrainingSeen
from services.reporting.domain import findings as domain
from services.reporting.domain.findings import FindingId
from services.reporting.domain.proposals import Proposal
from services.reporting.domain.results import Result
from services.reporting.domain.scorecards import SubjectKind
from services.reporting.schema.figures import ReportRate
from services.reporting.schema.offices import Office
from services.reporting.schema.people import User
from services.reporting.schema.proposals import RoleProposal
from services.reporting.schema.scorecards import ScorecardMeasure, ScorecardResult, rate
from services.reporting.schema.trainings import Training

if TYPE_CHECKING:
    from services.reporting.schema.reports import Group

Info: TypeAlias = strawberry.Info[Context[Peers], None]

FindingState = strawberry.enum(
    domain.FindingState,
    description="INVESTIGATING: a cause was recorded; ACTIONED: something that was decided on has been done.",
)
FindingCause = strawberry.enum(
    domain.Cause, name="FindingCause", description="Why a rule may be missed."
)
FindingAction = strawberry.enum(
    domain.FindingAction, description="What the viewer may do to a finding now."
)
FindingEffectVerdict = strawberry.enum(
    domain.EffectVerdict,
    name="FindingEffectVerdict",
    description="MEASURING: the two weeks are not over; MET: the rule is met now; BETTER: not met, but better than before.",
)


@strawberry.type(description="A number behind a hypothesis.")
class FindingEvidence:
    """Evidence."""

    name: str
    value: int


@strawberry.type(description="What the data say may be the cause. Nobody is named.")
class FindingHypothesis:
    """Hypothesis."""

    cause: FindingCause  # type: ignore[valid-type]
    sentence: str
    evidence: list[FindingEvidence]

    @classmethod
    def of(cls, told: domain.Hypothesis) -> "FindingHypothesis":
        """As GraphQL tells it."""
        evidence = [FindingEvidence(name=one.name, value=one.value) for one in told.evidence]
        return cls(cause=told.cause, sentence=told.sentence, evidence=evidence)


@strawberry.type(
    description="Whether what was done helped: the two weeks after it, by the version of the rule that was missed."
)
class FindingEffect:
    """Effect."""

    before: ReportRate
    after: ReportRate | None = strawberry.field(
        description="Null of 1 to 4 referrals, for who may not open them."
    )
    weeks: list[date] = strawberry.field(description="The weeks measured so far, by Monday.")
    verdict: FindingEffectVerdict  # type: ignore[valid-type]

    @classmethod
    def of(cls, told: domain.Effect) -> "FindingEffect":
        """As GraphQL tells it."""
        return cls(
            before=rate(told.before),
            after=rate(told.after) if told.after else None,
            weeks=[one.week_of for one in told.weeks],
            verdict=told.verdict,
        )


_Group = Annotated["Group", strawberry.lazy("services.reporting.schema.reports")]


@strawberry.type(
    description="An office or group missed a rule of its scorecard in a week. One about each measure is not closed."
)
class Finding:
    """Finding (R32)."""

    known: strawberry.Private[domain.Finding]
    id: strawberry.ID
    version: int
    measure: ScorecardMeasure  # type: ignore[valid-type]
    week_of: date
    rule_version: int
    at_least_percent: int
    figure: ReportRate
    state: FindingState  # type: ignore[valid-type]
    raised_at: datetime
    office: Office | None = strawberry.field(description="Null when it is about a group.")
    hypotheses: list[FindingHypothesis] = strawberry.field(
        description="What the data said when it was raised; empty: nothing stood out."
    )
    cause: FindingCause | None = strawberry.field(  # type: ignore[valid-type]
        description="What a client admin found out."
    )
    note: str | None
    investigated_by: User | None
    investigated_at: datetime | None
    actioned_at: datetime | None
    closed_by: User | None
    closed_at: datetime | None
    allowed_actions: list[FindingAction]  # type: ignore[valid-type]

    @classmethod
    def of(cls, info: Info, told: domain.Finding) -> "Finding":
        """As GraphQL tells it."""
        about_office = told.subject is SubjectKind.OFFICE
        return cls(
            known=told,
            id=strawberry.ID(str(told.id)),
            version=told.version,
            measure=told.measure,
            week_of=told.week_of,
            rule_version=told.rule_number,
            at_least_percent=told.percent,
            figure=rate(told.share),
            state=told.state,
            raised_at=told.raised_at,
            office=Office.of(told.subject_id) if about_office else None,
            hypotheses=[FindingHypothesis.of(one) for one in told.hypotheses],
            cause=told.cause,
            note=told.note,
            investigated_by=_user(told.investigated_by),
            investigated_at=told.investigated_at,
            actioned_at=told.actioned_at,
            closed_by=_user(told.closed_by),
            closed_at=told.closed_at,
            allowed_actions=list(policy.finding_actions(info.context.call.viewer, told)),
        )

    @described("Null when it is about an office.")
    async def group(self) -> _Group | None:
        """The group it is about."""
        from services.reporting.schema.reports import Group  # noqa: PLC0415 - groups have findings

        about_group = self.known.subject is SubjectKind.GROUP
        return Group(id=strawberry.ID(str(self.known.subject_id))) if about_group else None

    @described("What the rule said of it week by week, from four weeks before on.")
    async def results(self, info: Info) -> list[ScorecardResult]:
        """Results around it (R32)."""

        async def load(keys: list[domain.Finding]) -> list[list[Result]]:
            return await actions.results_around(info.context.call, keys)

        told = await info.context.loader("results of findings", load).load(self.known)
        return [ScorecardResult.of(one) for one in told]

    @described("Whether what was done helped; null while nothing has been done.")
    async def effect(self, info: Info) -> FindingEffect | None:
        """Effect (R33)."""

        async def load(keys: list[domain.Finding]) -> list[domain.Effect | None]:
            return await actions.effects(info.context.call, keys)

        told = await info.context.loader("effects", load).load(self.known)
        return FindingEffect.of(told) if told else None

    @described("The trainings that were assigned because of it, as far as the viewer may see them.")
    async def trainings(self, info: Info) -> list[Training]:
        """Trainings (R34)."""

        async def load(ids: list[FindingId]) -> list[list[TrainingSeen]]:
            return await training_actions.of_findings(info.context.call, ids)

        told = await info.context.loader("trainings of findings", load).load(self.known.id)
        return [Training.of(info, one) for one in told]

    @described("The changes of roles that were proposed because of it.")
    async def role_proposals(self, info: Info) -> list[RoleProposal]:
        """Proposals (R33)."""

        async def load(ids: list[FindingId]) -> list[list[Proposal]]:
            return await proposal_actions.of_findings(info.context.call, ids)

        told = await info.context.loader("proposals of findings", load).load(self.known.id)
        return [RoleProposal.of(one) for one in told]


def _user(id_: UUID | None) -> User | None:
    return User.of(id_) if id_ else None


@strawberry.type
class FindingQuery:
    """What was found out about offices and groups."""

    @described("A finding; null for one that is not there or not the viewer's to read.")
    async def finding(self, info: Info, id: strawberry.ID) -> Finding | None:
        """One finding (R32)."""
        (told,) = await actions.findings_by_id(info.context.call, [FindingId(parse_id(id, "id"))])
        return Finding.of(info, told) if told else None

    @described(
        "Findings, oldest first: all for client admins, those about their offices and the groups there for office admins."
    )
    async def findings(
        self,
        info: Info,
        state: FindingState | None = None,  # type: ignore[valid-type]
        first: int | None = None,
        after: str | None = None,
    ) -> Connection[Finding]:
        """All findings (R32)."""
        page = page_of(first, after)
        told = await actions.all_findings(info.context.call, state, after_id(page), page.limit + 1)
        return connection(
            told, page, key=lambda one: (one.id,), node=lambda one: Finding.of(info, one)
        )


RecordFindingCauseResult = Annotated[
    Finding | CommonProblems, strawberry.union("RecordFindingCauseResult")
]
CloseFindingResult = Annotated[Finding | CommonProblems, strawberry.union("CloseFindingResult")]


@strawberry.input
class RecordFindingCauseInput:
    """What the cause is, as far as it is known; the note is for admins and leaves the service in no fact."""

    finding_id: strawberry.ID
    expected_version: int
    cause: FindingCause  # type: ignore[valid-type]
    note: str | None = None


@strawberry.input
class CloseFindingInput:
    """End a finding."""

    finding_id: strawberry.ID
    expected_version: int
    note: str | None = None


@strawberry.type
class FindingMutation:
    """Client admins find out why."""

    @mutation
    async def record_finding_cause(
        self, info: Info, input: RecordFindingCauseInput
    ) -> RecordFindingCauseResult:
        """Say why the rule was missed; it may be said again until the finding is closed (R32)."""
        told = await actions.record_cause(
            info.context.call,
            FindingId(parse_id(input.finding_id, "findingId")),
            input.cause,
            input.note,
            input.expected_version,
        )
        return Finding.of(info, told)

    @mutation
    async def close_finding(self, info: Info, input: CloseFindingInput) -> CloseFindingResult:
        """End a finding, whatever was done about it; should the rule be missed again, another is raised (R32)."""
        told = await actions.close_finding(
            info.context.call,
            FindingId(parse_id(input.finding_id, "findingId")),
            input.note,
            input.expected_version,
        )
        return Finding.of(info, told)
