"""The GraphQL subgraph of directory."""

from strawberry.tools import merge_types

from kit.graphql import build_schema
from services.directory.schema.feed import FeedMutation, FeedQuery
from services.directory.schema.group_mutations import GroupMutation
from services.directory.schema.imports import ImportMutation, ImportQuery
from services.directory.schema.office_mutations import OfficeMutation
from services.directory.schema.organization import Organization
from services.directory.schema.previews import PreviewQuery
from services.directory.schema.provider_mutations import ProviderMutation
from services.directory.schema.queries import Query
from services.directory.schema.tasks import TaskMutation, TaskQuery

Mutation = merge_types(
    "Mutation",
    (ProviderMutation, OfficeMutation, GroupMutation, TaskMutation, ImportMutation, FeedMutation),
)

Root = merge_types("Query", (Query, PreviewQuery, TaskQuery, ImportQuery, FeedQuery))

SCHEMA = build_schema(Root, Mutation, types=(Organization,))

__all__ = ["SCHEMA"]
