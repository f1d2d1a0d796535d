"""Entries of the audit trail for what directory tells nobody as a fact."""

from dataclasses import fields

from kit import audit
from kit.db import Connection
from services.directory.actions.peers import Call
from services.directory.domain.nouns import OrganizationId, Profile, Provider, Settings


async def note_profile(
    tx: Connection, call: Call, before: Provider, after: Profile, *, waits: bool
) -> None:
    """A profile was changed, or a change of it waits for approval."""
    known = (before.proposed or before.profile) if waits else before.profile
    await audit.record(
        tx,
        call.viewer,
        act="provider.change_proposed" if waits else "provider.changed",
        kind="provider",
        about=before.id,
        organization_id=before.organization_id,
        at=call.clock.now(),
        fields=_changed(known, after),
    )


async def note_rejection(tx: Connection, call: Call, before: Provider, reason: str) -> None:
    """A submitted profile was sent back, or a change that waited was turned down; and why (R11)."""
    proposed = before.proposed
    await audit.record(
        tx,
        call.viewer,
        act="provider.rejected" if proposed is None else "provider.change_rejected",
        kind="provider",
        about=before.id,
        organization_id=before.organization_id,
        at=call.clock.now(),
        fields=[] if proposed is None else _changed(before.profile, proposed),
        reason=reason,
    )


async def note_settings(
    tx: Connection, call: Call, organization_id: OrganizationId, before: Settings, after: Settings
) -> None:
    """An organization decided otherwise."""
    await audit.record(
        tx,
        call.viewer,
        act="organization.settings_changed",
        kind="organization",
        about=organization_id,
        organization_id=organization_id,
        at=call.clock.now(),
        fields=_changed(before, after),
    )


async def note_shared(tx: Connection, call: Call, what: str) -> None:
    """Support keeps something that all organizations share: specialties, postal codes."""
    await audit.record(
        tx,
        call.viewer,
        act=f"network.{what}_imported",
        kind="network",
        about=None,
        organization_id=None,
        at=call.clock.now(),
    )


def _changed(before: Profile | Settings, after: Profile | Settings) -> list[str]:
    return [
        one.name for one in fields(before) if getattr(before, one.name) != getattr(after, one.name)
    ]
