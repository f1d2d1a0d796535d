"""The GraphQL subgraph of identity."""

from strawberry.tools import merge_types

from kit.graphql import build_schema
from services.identity.schema.factors import FactorMutation, FactorQuery
from services.identity.schema.organizations import OrganizationMutation
from services.identity.schema.partners import PartnerMutation
from services.identity.schema.queries import Query as PeopleQuery
from services.identity.schema.roles import RoleMutation
from services.identity.schema.sessions import SessionMutation

Query = merge_types("Query", (PeopleQuery, FactorQuery))
Mutation = merge_types(
    "Mutation",
    (SessionMutation, FactorMutation, OrganizationMutation, RoleMutation, PartnerMutation),
)

SCHEMA = build_schema(Query, Mutation)

__all__ = ["SCHEMA"]
