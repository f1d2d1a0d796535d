"""What siblings and the gateway may ask identity over gRPC."""

from collections.abc import Iterable
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from kit.auth import Viewer
from kit.errors import Invalid
from kit.ids import parse_id
from kit.rpc import AddServicer, current_viewer, whatever_the_time
from kit.service import Parts
from proto.identity.v1.identity_pb2 import (
    CoverageReply,
    CoverageRequest,
    IntrospectRequest,
    KeysReply,
    KeysRequest,
    KnownUser,
    OfficeCoverage,
    RolesAtReply,
    RolesAtRequest,
    TimeReply,
    TimeRequest,
    UserAt,
    UsersReply,
    UsersRequest,
    ViewerReply,
)
from proto.identity.v1.identity_pb2_grpc import (
    IdentityServicer,
    add_IdentityServicer_to_server,
)
from services.identity import actions, policy, store
from services.identity.actions import Call, Means
from services.identity.domain import OrganizationId, Role, User
from services.identity.store.then import RolesThen, roles_at

MOST_IDS = 1000
_MICROSECOND = timedelta(microseconds=1)


class IdentityDoor(IdentityServicer):
    """Answers siblings and the gateway."""

    def __init__(self, parts: Parts[Means]) -> None:
        self._parts = parts

    async def Introspect(self, request: IntrospectRequest, context: Any) -> ViewerReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Who is behind an access token, as of now. The rows decide, not the token (R02)."""
        policy.permit_introspection(current_viewer())
        viewer, claims = await actions.introspect(self._call(), request.access_token)
        reply = _viewer_reply(viewer)
        reply.expires_at.FromDatetime(claims.expires_at)
        return reply

    async def Keys(self, request: KeysRequest, context: Any) -> KeysReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """The public keys that verify access tokens."""
        return KeysReply(jwks_json=(await actions.jwks(self._call())).decode())

    async def Coverage(self, request: CoverageRequest, context: Any) -> CoverageReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """How many confirmed, active staff cover each office (R18); each office asked about is answered, if only with 0."""
        organization_id = _organization(request.organization_id)
        offices = _ids(request.office_ids, "office_ids")
        found: dict[UUID, int] = {}
        if policy.may_answer_about(current_viewer(), organization_id):
            async with self._call().db.reading() as tx:
                found = await store.coverage(tx, organization_id, offices)
        return CoverageReply(
            offices=[
                OfficeCoverage(office_id=str(office), confirmed_staff=found.get(office, 0))
                for office in offices
            ]
        )

    async def Users(self, request: UsersRequest, context: Any) -> UsersReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Which of these users belong to the organization. Those of another are left out, exactly as unknown ids are (R02)."""
        organization_id = _organization(request.organization_id)
        ids = _ids(request.user_ids, "user_ids")
        if not policy.may_answer_about(current_viewer(), organization_id):
            return UsersReply()
        async with self._call().db.reading() as tx:
            found = await store.users_by_id(tx, organization_id, ids)
        return UsersReply(users=[_known_user(found[one]) for one in ids if one in found])

    async def RolesAt(self, request: RolesAtRequest, context: Any) -> RolesAtReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """Who of an organization had a role at these offices, or was one of these providers, at a moment; and the users named."""
        organization_id = _organization(request.organization_id)
        offices, providers = (
            _ids(request.office_ids, "office_ids"),
            _ids(request.provider_ids, "provider_ids"),
        )
        users = _ids(request.user_ids, "user_ids")
        if not policy.may_answer_about(current_viewer(), organization_id):
            return RolesAtReply()
        at = request.at.ToDatetime(tzinfo=UTC)
        async with self._call().db.reading() as tx:
            found = await roles_at(tx, organization_id, at, (offices, providers, users))
        return RolesAtReply(users=[_user_at(one) for one in found])

    @whatever_the_time
    async def Time(self, request: TimeRequest, context: Any) -> TimeReply:  # noqa: ANN401, ARG002, N802 - grpc's
        """The suite's time by this service's database."""
        clock = self._parts.clock
        reply = TimeReply(offset_us=clock.offset // _MICROSECOND)
        reply.database_time.FromDatetime(clock.real())
        return reply

    def _call(self) -> Call:
        return self._parts.call(current_viewer())


def _organization(text: str) -> OrganizationId:
    return OrganizationId(parse_id(text, "organization_id"))


def _ids(texts: Iterable[str], field: str) -> list[UUID]:
    ids = list(dict.fromkeys(parse_id(text, field) for text in texts))
    if len(ids) > MOST_IDS:
        raise Invalid(f"Ask for at most {MOST_IDS} at once.", field=field)
    return ids


def _viewer_reply(viewer: Viewer) -> ViewerReply:
    return ViewerReply(
        user_id=str(viewer.user_id),
        session_id=str(viewer.session_id),
        organization_id=str(viewer.organization_id) if viewer.organization_id else "",
        stage=viewer.stage,
        support=viewer.support,
        client_admin=viewer.client_admin,
        insurance_manager=viewer.insurance_manager,
        insurance_manager_of=sorted(map(str, viewer.insurance_manager_of)),
        call_centre=viewer.call_centre,
        office_admin_of=sorted(map(str, viewer.office_admin_of)),
        office_staff_of=sorted(map(str, viewer.office_staff_of)),
        second_factor=viewer.second_factor,
        reporting_only=viewer.reporting_only,
        provider_id=str(viewer.provider_id) if viewer.provider_id else "",
    )


def _known_user(user: User) -> KnownUser:
    return KnownUser(
        user_id=str(user.id),
        confirmed=user.confirmed,
        active=user.active,
        office_admin_of=_offices(user, Role.OFFICE_ADMIN),
        office_staff_of=_offices(user, Role.OFFICE_STAFF),
        provider_id=next((str(one.provider_id) for one in user.grants if one.provider_id), ""),
    )


def _user_at(it: RolesThen) -> UserAt:
    return UserAt(
        user_id=str(it.user_id),
        office_admin_of=[str(one) for one in it.office_admin_of],
        office_staff_of=[str(one) for one in it.office_staff_of],
        provider_id=str(it.provider_id or ""),
    )


def _offices(user: User, role: Role) -> list[str]:
    return sorted(str(grant.office_id) for grant in user.grants if grant.role is role)


def servicers(parts: Parts[Means]) -> list[AddServicer]:
    """The doors to open."""
    return [lambda server: add_IdentityServicer_to_server(IdentityDoor(parts), server)]
