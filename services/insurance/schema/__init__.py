"""The GraphQL subgraph of insurance."""

from strawberry.tools import merge_types

from kit.graphql import build_schema
from services.insurance.schema.acceptances import AcceptanceQuery
from services.insurance.schema.campaigning import CampaignMutation, CampaignQuery
from services.insurance.schema.catalogue import CatalogueMutation
from services.insurance.schema.copies import CopyMutation, CopyQuery
from services.insurance.schema.endings import EndingMutation, EndingQuery
from services.insurance.schema.participations import ParticipationMutation
from services.insurance.schema.queries import LookingQuery
from services.insurance.schema.types import Office, Provider
from services.insurance.schema.verifying import VerifyingMutation, VerifyingQuery

Query = merge_types(
    "Query", (LookingQuery, AcceptanceQuery, VerifyingQuery, CopyQuery, CampaignQuery, EndingQuery)
)
Mutation = merge_types(
    "Mutation",
    (
        CatalogueMutation,
        EndingMutation,
        ParticipationMutation,
        VerifyingMutation,
        CopyMutation,
        CampaignMutation,
    ),
)

SCHEMA = build_schema(Query, Mutation, types=(Provider, Office))

__all__ = ["SCHEMA"]
