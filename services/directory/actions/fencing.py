"""Fences that come up too late: whoever raised one and finds the case decided otherwise takes it down again (R15, R19, R24).

A fence is lowered only under the lock of the thing it stands around: whoever begins to end a thing locks it before they raise the
fence, so that no fence is lowered that somebody has just raised.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from kit.errors import Conflict, Unavailable
from services.directory import store
from services.directory.actions.peers import Call
from services.directory.domain.nouns import OrganizationId

log = logging.getLogger(__name__)


@asynccontextmanager
async def raising(
    call: Call, kind: str, organization_id: OrganizationId, subject_id: UUID
) -> AsyncIterator[None]:
    """Raise a fence in here and go on with the case: when that is no longer ours (STALE_VERSION), and the thing stays, the fence is
    taken down."""
    try:
        yield
    except Conflict as refusal:
        if refusal.code == "STALE_VERSION":
            await lower_stray(call, kind, organization_id, subject_id)
        raise


async def lower_stray(
    call: Call, kind: str, organization_id: OrganizationId, subject_id: UUID
) -> None:
    """Lower the fence around a thing that is not leaving; one that leaves or has left keeps it."""
    try:
        async with call.db.transaction() as tx:
            if await store.fences.is_staying(tx, kind, organization_id, subject_id):
                await call.peers.referrals.lower_fence(organization_id, kind, subject_id)
    except Unavailable:
        log.warning(
            "a fence was left standing", extra={"kind": kind, "subject_id": str(subject_id)}
        )
