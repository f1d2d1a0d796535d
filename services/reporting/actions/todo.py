"""What is left to do, for who may know: beside offices, groups, users and organizations of other subgraphs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kit.service import Call
from services.reporting import policy
from services.reporting.actions.peers import Peers
from services.reporting.domain import OrganizationId
from services.reporting.store import scorecards
from services.reporting.store import todo as store
from services.reporting.store.todo import ToDo


async def at_places(call: Call[Peers], ids: Sequence[UUID]) -> list[ToDo | None]:
    """Of the people at offices, or where groups are; None for one that is not the viewer's to know."""
    if call.viewer.is_user and call.viewer.organization_id is None:
        return [None for _ in ids]
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        places = {
            one.id: sorted(one.office_ids)
            for one in await scorecards.places(tx, organization_id, ids)
            if policy.may_read_practice(call.viewer, organization_id, one.office_ids)
        }
        found = await store.at_places(tx, organization_id, places)
    return [found.get(id_) for id_ in ids]


async def of_users(call: Call[Peers], ids: Sequence[UUID]) -> list[ToDo | None]:
    """Of users: everybody knows their own, client admins all, office admins of who has a role at their offices; support, who belongs
    to no organization, of nobody."""
    if call.viewer.is_user and call.viewer.organization_id is None:
        return [None for _ in ids]
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        offices = await store.offices_of(tx, organization_id, ids)
        shown = [
            id_
            for id_ in ids
            if id_ == call.viewer.user_id
            or policy.may_read_practice(
                call.viewer, organization_id, frozenset(offices.get(id_, ()))
            )
        ]
        found = await store.of_users(tx, organization_id, shown)
    return [found.get(id_) for id_ in ids]


@dataclass(frozen=True, slots=True)
class Summary:
    """What is left to do in an organization."""

    todo: ToDo
    open_findings: int


async def of_organization(call: Call[Peers], id_: UUID) -> Summary | None:
    """Of the viewer's own organization, for client admins; None for others."""
    if call.viewer.is_user and call.viewer.organization_id is None:
        return None
    organization_id = OrganizationId(call.viewer.require_organization())
    if id_ != organization_id or not policy.looks_on(call.viewer, organization_id):
        return None
    async with call.db.reading() as tx:
        told = await store.of_organization(tx, organization_id)
        return Summary(told, await store.open_findings(tx, organization_id))
