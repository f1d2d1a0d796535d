"""The GraphQL subgraph of identity."""

from strawberry.tools import merge_types

from kit.graphql import build_schema
from services.identity.schema.candidates import CandidateMutation, CandidateQuery
from services.identity.schema.factors import FactorMutation, FactorQuery
from services.identity.schema.notices import NoticeMutation, NoticeQuery
from services.identity.schema.organizations import OrganizationMutation
from services.identity.schema.partners import PartnerMutation
from services.identity.schema.passwords import PasswordMutation
from services.identity.schema.people import PeopleMutation, PeopleQuery
from services.identity.schema.proving import ask_for_proofs
from services.identity.schema.queries import Query as ReadingQuery
from services.identity.schema.roles import RoleMutation, RoleQuery
from services.identity.schema.sessions import SessionMutation
from services.identity.schema.sso import SignInMutation, SignInQuery
from services.identity.schema.support import SupportMutation, SupportQuery
from services.identity.schema.support_staff import SupportStaffMutation, SupportStaffQuery

Query = merge_types(
    "Query",
    (
        ReadingQuery,
        PeopleQuery,
        RoleQuery,
        CandidateQuery,
        FactorQuery,
        SignInQuery,
        SupportQuery,
        SupportStaffQuery,
        NoticeQuery,
    ),
)
Mutation = merge_types(
    "Mutation",
    (
        SessionMutation,
        PasswordMutation,
        FactorMutation,
        SignInMutation,
        OrganizationMutation,
        PeopleMutation,
        RoleMutation,
        CandidateMutation,
        PartnerMutation,
        SupportMutation,
        SupportStaffMutation,
        NoticeMutation,
    ),
)

ask_for_proofs(Mutation)
SCHEMA = build_schema(Query, Mutation)

__all__ = ["SCHEMA"]
