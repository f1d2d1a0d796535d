"""Asking siblings for names, when a file is made: reporting keeps ids, and a name is what it is called now."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import islice
from uuid import UUID

from kit.errors import Unavailable
from kit.service import Call
from proto.directory.v1.directory_pb2 import ProvidersRequest
from proto.directory.v1.directory_pb2_grpc import DirectoryStub
from proto.insurance.v1.insurance_pb2 import PlansRequest
from proto.insurance.v1.insurance_pb2_grpc import InsuranceStub
from services.reporting import store
from services.reporting.actions.peers import Peers
from services.reporting.domain import OrganizationId
from services.reporting.domain.naming import Names, plan_name

log = logging.getLogger(__name__)

AT_A_TIME = 1000
"""Names that a sibling is asked for at once."""

Asking = Callable[[Sequence[str]], Awaitable[dict[UUID, str]]]


async def names(
    call: Call[Peers], providers: Iterable[UUID | None], plans: Iterable[UUID | None]
) -> Names:
    """What these providers of the viewer's organization, these plans and all offices and groups are called. Who permits the file permits its
    names. A sibling that does not answer keeps no file waiting: its names are unknown then."""
    organization_id = OrganizationId(call.viewer.require_organization())
    async with call.db.reading() as tx:
        offices = await store.hygiene.office_names(tx, organization_id)
        groups = await store.organizations.groups(tx, organization_id)

    async def named_providers(ids: Sequence[str]) -> dict[UUID, str]:
        directory = call.peers.directory
        request = ProvidersRequest(organization_id=str(organization_id), provider_ids=ids)
        reply = await directory.ask(DirectoryStub(directory.channel).Providers, request)
        return {UUID(one.provider_id): one.name for one in reply.providers}

    async def named_plans(ids: Sequence[str]) -> dict[UUID, str]:
        insurance = call.peers.insurance
        request = PlansRequest(plan_ids=ids)
        reply = await insurance.ask(InsuranceStub(insurance.channel).Plans, request)
        return {UUID(one.plan_id): plan_name(one.name, one.payer_name) for one in reply.plans}

    of_providers, of_plans = await asyncio.gather(
        _asked(named_providers, providers), _asked(named_plans, plans)
    )
    return Names(offices, of_providers, of_plans, {one.id: one.name for one in groups})


async def _asked(ask: Asking, ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """The names that a sibling tells, so many at a time, until it tells no more."""
    wanted = iter(sorted(str(one) for one in ids if one is not None))
    found: dict[UUID, str] = {}
    try:
        while some := list(islice(wanted, AT_A_TIME)):
            found |= await ask(some)
    except Unavailable as silent:
        log.warning("a file is made without names", extra={"because": silent.message})
    return found
