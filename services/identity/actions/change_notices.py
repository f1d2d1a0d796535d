"""Letters about what directory tells: its feed of changes (R10), of which they say how much has changed and nothing of what; and
what support has set up against a rule (R25)."""

from kit.db import Connection
from services.identity import store
from services.identity.actions.means import Call
from services.identity.actions.told import write_letter
from services.identity.domain import LetterKind, OrganizationId, Role, UserId, letters
from services.identity.domain.letters import Words


async def write_to_call_centre(
    call: Call, tx: Connection, organization_id: OrganizationId, items: int
) -> None:
    """Something has changed: to everybody in the call centre."""
    words = letters.notice(
        "Changes of providers and offices",
        f"{_told(items)} in your organization's feed of changes.",
        "Sign in, look at the feed and acknowledge what you have read.",
    )
    await _write(call, tx, organization_id, Role.CALL_CENTRE, words)


async def write_to_client_admins(
    call: Call, tx: Connection, organization_id: OrganizationId, items: int
) -> None:
    """Nobody has acknowledged it for a day: to the client admins."""
    words = letters.notice(
        "The call centre has not read what changed",
        f"{_told(items)} in your organization's feed of changes that nobody of the call centre has acknowledged in 24 hours.",
        "Sign in and look at the feed, and ask somebody of the call centre to acknowledge it.",
    )
    await _write(call, tx, organization_id, Role.CLIENT_ADMIN, words)


async def write_of_override(
    call: Call, tx: Connection, organization_id: OrganizationId, group: str, by: UserId
) -> None:
    """Support lets a group take part though nobody who has confirmed works for it: to the client admins, at once (R25)."""
    account = await store.account(tx, by)
    who = f"{account.email} of support" if account else "Support"
    words = letters.notice(
        "Support has set up a group of yours against a rule",
        f"{who} lets the group {group} send and receive referrals, as it was set to, though nobody who has confirmed works for it.",
        "Why is shown with the group (override) and in your audit trail. Until somebody works for it, the staff of its offices look"
        " after its referrals.",
        "Give the group staff, or take it back with endGroupOverride. If you did not expect this, ask support.",
    )
    await _write(call, tx, organization_id, Role.CLIENT_ADMIN, words)


def _told(items: int) -> str:
    return "There is 1 new entry" if items == 1 else f"There are {items} new entries"


async def _write(
    call: Call, tx: Connection, organization_id: OrganizationId, role: Role, words: Words
) -> None:
    for user in await store.users_in_role(tx, organization_id, role):
        if user.confirmed:
            await write_letter(call, tx, LetterKind.NOTICE, user.id, words)
