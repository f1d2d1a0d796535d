"""The GraphQL subgraph of insurance."""

from kit.graphql import build_schema
from services.insurance.schema.mutations import Mutation
from services.insurance.schema.queries import Query
from services.insurance.schema.types import Office, Provider

SCHEMA = build_schema(Query, Mutation, types=(Provider, Office))

__all__ = ["SCHEMA"]
