"""Support at work in an organization: never without a reason, and never without the client admins knowing."""

from kit.ids import new_id
from services.identity import store
from services.identity.actions.auditing import Concerned, note_support
from services.identity.actions.means import Call
from services.identity.actions.told import write_letter
from services.identity.actions.within import Work
from services.identity.domain import LetterKind, SupportAct, User, letters

_WORDS = {
    SupportAct.GRANT_ROLE: "has given a role to",
    SupportAct.REVOKE_ROLE: "has taken a role from",
    SupportAct.DEACTIVATE_USER: "has deactivated",
    SupportAct.REACTIVATE_USER: "has reactivated",
    SupportAct.REPORT_BOUNCE: "has noted that mail does not reach",
}


async def support_did(call: Call, work: Work, act: SupportAct, user: User) -> None:
    """Keep what support did and why, and tell the client admins; nothing when it was not support."""
    if not work.reason:
        return
    about = (act, work.reason)
    await store.note_support_act(work.tx, new_id(), work.granter, user.id, about, work.now)
    concerned = Concerned("user", user.id, work.organization.id)
    await note_support(call, work.tx, act, work.reason, concerned)
    subject = f"Support {_WORDS[act]} {user.name}"
    words = letters.notice(
        subject,
        f"{subject}, at {work.organization.name}.",
        f"The reason given: {work.reason}",
        "If you did not expect this, ask support.",
    )
    for admin in await store.client_admins(work.tx, work.organization.id):
        if admin.confirmed and admin.id != user.id:
            await write_letter(call, work.tx, LetterKind.NOTICE, admin.id, words)
