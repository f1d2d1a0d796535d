"""What imports of whole files need besides: specialties for the network, and how far each import has come."""

from collections.abc import Collection
from datetime import timedelta

from kit.errors import Invalid
from services.directory import policy, store
from services.directory.actions import auditing
from services.directory.actions.peers import Call
from services.directory.domain import imports
from services.directory.domain.imports import Progress
from services.directory.domain.nouns import Specialty

KEPT = timedelta(days=30)
"""As long as answers to retries are kept: after that an import begins anew."""


async def import_specialties(call: Call, rows: Collection[Specialty]) -> tuple[int, int]:
    """Keep specialties for the whole network: support only. Answers how many are new, and how many are told otherwise than before.
    None is ever taken away, since profiles name them."""
    policy.permit_support(call.viewer)
    if not 1 <= len(rows) <= imports.MOST_SPECIALTIES:
        raise Invalid(
            f"Give 1 to {imports.MOST_SPECIALTIES} rows.",
            field="rows",
            remedy="Split a longer list over calls.",
        )
    cleaned = imports.clean_specialties(rows)
    async with call.db.transaction() as tx:
        await auditing.note_shared(tx, call, "specialties")
        return await store.imports.keep_specialties(tx, cleaned)


async def keep_progress(
    call: Call, digest: str, kind: str, state: str, *, finished: bool
) -> Progress:
    """Keep how far an import of a file has come, for client admins of the organization."""
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    imports.clean_progress(digest, kind, state)
    now = call.clock.now()
    progress = Progress(digest, kind, state, now, now if finished else None)
    user = policy.acting_user(call.viewer)
    async with call.db.transaction() as tx:
        await store.imports.keep_progress(tx, organization_id, user, progress)
    return progress


async def progress(call: Call, digest: str, kind: str) -> Progress | None:
    """How far the organization's import of that file has come; None when there is none that still can go on."""
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    async with call.db.reading() as tx:
        found = await store.imports.progress(tx, organization_id, digest, kind)
    if found is None or found.kept_at < call.clock.now() - KEPT:
        return None
    return found


async def forget(call: Call) -> None:
    """Forget imports that nobody goes on with."""
    async with call.db.transaction() as tx:
        await store.imports.forget_progress(tx, call.clock.now() - KEPT)
