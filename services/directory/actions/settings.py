"""What an organization decides for itself."""

from dataclasses import dataclass, fields, replace

from kit.errors import Invalid
from services.directory import policy, store
from services.directory.actions import suggestions
from services.directory.actions.auditing import note_settings
from services.directory.actions.peers import Call
from services.directory.domain.nouns import ApprovalNeed, Settings, require_version

FEWEST, MOST = 2, 100


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """What is to change; None leaves it as it is."""

    second_approver: bool | None = None
    suggest_groups_from: int | None = None
    approval_needs: frozenset[ApprovalNeed] | None = None


async def change_settings(call: Call, seen: int, change: SettingsChange) -> Settings:
    """Change how providers are approved (R11) and from how many providers a group is suggested (R20)."""
    organization_id = policy.acting(call.viewer)
    policy.permit_client_admin(call.viewer, organization_id)
    few = change.suggest_groups_from
    if few is not None and not FEWEST <= few <= MOST:
        raise Invalid(f"suggestGroupsFrom must be {FEWEST} to {MOST}.", field="suggestGroupsFrom")
    async with call.db.transaction() as tx:
        await store.catalogue.hold(tx, organization_id, "settings")
        before = await store.catalogue.settings(tx, organization_id)
        require_version("record of settings", seen, before.version)
        asked = {one.name: getattr(change, one.name) for one in fields(change)}
        after = replace(before, **{name: one for name, one in asked.items() if one is not None})
        await store.catalogue.save_settings(tx, organization_id, after)
        await note_settings(tx, call, organization_id, before, after)
        saved = await store.catalogue.settings(tx, organization_id)
        offices = await store.suggestions.offices_to_review(tx)
    own = [office for owner, office in offices if owner == organization_id]
    await suggestions.review(call, organization_id, own)
    return saved
