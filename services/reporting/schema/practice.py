"""Best practice: everything of it that is asked and done (R30, R32-R34)."""

import strawberry

from services.reporting.schema.findings import FindingMutation, FindingQuery
from services.reporting.schema.guides import GuideMutation, GuideQuery
from services.reporting.schema.proposing import ProposingMutation, ProposingQuery
from services.reporting.schema.scorecards import ScorecardMutation, ScorecardQuery
from services.reporting.schema.trainings import TrainingMutation, TrainingQuery


@strawberry.type
class PracticeQuery(GuideQuery, ScorecardQuery, FindingQuery, TrainingQuery, ProposingQuery):
    """What is asked."""


@strawberry.type
class PracticeMutation(
    GuideMutation, ScorecardMutation, FindingMutation, TrainingMutation, ProposingMutation
):
    """What is done."""
