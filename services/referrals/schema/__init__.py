"""The GraphQL subgraph of referrals."""

from kit.graphql import build_schema
from services.referrals.schema.entities import Group, Office, Provider
from services.referrals.schema.mutations import Mutation
from services.referrals.schema.nodes import Referral
from services.referrals.schema.queries import Query, Subscription

SCHEMA = build_schema(Query, Mutation, Subscription, types=(Referral, Provider, Office, Group))

__all__ = ["SCHEMA"]
