"""Who asks support, and when support acts in an organization (R25, break-glass)."""

from uuid import UUID

from kit.auth import Viewer
from kit.errors import Denied, Unauthenticated
from services.identity.domain import OrganizationId, UserId
from services.identity.domain.support import (
    RequestAction,
    SupportAccount,
    SupportAccountAction,
    SupportRequest,
)
from services.identity.policy.accounts import permit_client_admin, permit_support


def permit_asking(viewer: Viewer) -> OrganizationId:
    """R25: everybody who works in an organization asks support, for it."""
    own = OrganizationId(viewer.require_organization())
    if viewer.support:
        raise Denied("You are support.")
    return own


def requests_seen(viewer: Viewer) -> tuple[OrganizationId | None, UserId | None]:
    """R25: whose requests the viewer is shown, and by whom: support all, client admins (also who only looks) their organization's,
    everybody else their own."""
    user_id = UserId(viewer.require_user())
    if viewer.support:
        return (OrganizationId(viewer.organization_id) if viewer.organization_id else None), None
    own = OrganizationId(viewer.require_organization())
    return own, None if viewer.client_admin or viewer.reporting_only else user_id


def may_see_note(viewer: Viewer, asked_by: UserId) -> bool:
    """R25: what somebody wrote is for themselves, client admins, and support."""
    everything = viewer.support or viewer.client_admin or viewer.reporting_only
    return everything or viewer.user_id == asked_by


def request_actions(viewer: Viewer, request: SupportRequest) -> tuple[RequestAction, ...]:
    """R25: what the viewer may do with the request now."""
    if not (viewer.is_user and viewer.support) or not request.open:
        return ()
    return (RequestAction.TAKE, RequestAction.ANSWER)


def support_account_actions(
    viewer: Viewer, account: SupportAccount
) -> tuple[SupportAccountAction, ...]:
    """What support may do now with an account of its own; whether it is the last one is said by the verb."""
    mine = viewer.is_user and viewer.support and account.ended_at is None
    return (SupportAccountAction.END,) if mine else ()


def permit_entering(viewer: Viewer) -> tuple[UserId, UUID]:
    """Break-glass: support, in a session of its own; answers who and which."""
    by = permit_support(viewer)
    if viewer.session_id is None:
        raise Unauthenticated("Sign in first.")
    return by, viewer.session_id


def permit_leaving(viewer: Viewer) -> tuple[UserId, UUID]:
    """Whoever may enter may leave."""
    return permit_entering(viewer)


def accesses_seen(viewer: Viewer) -> OrganizationId | None:
    """When support was inside an organization: for its client admins and who looks on with them; for support everywhere (None)."""
    viewer.require_user()
    if viewer.support and viewer.organization_id is None:
        return None
    if viewer.reporting_only or viewer.support:
        return OrganizationId(viewer.require_organization())
    return permit_client_admin(viewer, "Only client admins see when support was here.")
