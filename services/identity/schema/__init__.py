"""The GraphQL subgraph of identity."""

from strawberry.tools import merge_types

from kit.graphql import build_schema
from services.identity.schema.organizations import OrganizationMutation
from services.identity.schema.partners import PartnerMutation
from services.identity.schema.queries import Query
from services.identity.schema.roles import RoleMutation
from services.identity.schema.sessions import SessionMutation

Mutation = merge_types(
    "Mutation", (SessionMutation, OrganizationMutation, RoleMutation, PartnerMutation)
)

SCHEMA = build_schema(Query, Mutation)

__all__ = ["SCHEMA"]
