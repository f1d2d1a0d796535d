"""Who may do what with organizations, users, grants and partners."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from kit.auth import Kind, Stage, Viewer
from kit.errors import Denied, NotFound, Unauthenticated
from services.identity.domain import (
    Grant,
    Organization,
    OrganizationAction,
    OrganizationId,
    Partner,
    PartnerAction,
    Role,
    RoleWanted,
    Status,
    User,
    UserAction,
    UserId,
)

CALLERS = {
    "Introspect": frozenset({"gateway"}),
    "Keys": frozenset({"gateway"}),
    "Time": frozenset({"gateway"}),
    "Coverage": frozenset({"directory"}),
    "Users": frozenset({"directory"}),
    "RolesAt": frozenset({"referrals"}),
}
"""Which parts of the suite have business with which RPC; the door refuses the others."""


def permit_support(viewer: Viewer) -> UserId:
    """What only support does for all organizations: opening one."""
    user_id = viewer.require_user()
    if not viewer.support:
        raise Denied("Only support may do this.", remedy="Ask support with requestSupport.")
    return UserId(user_id)


def permit_reset(viewer: Viewer) -> UserId:
    """R05: Denied SUPPORT_ONLY for everybody else, client admins included."""
    user_id = viewer.require_user()
    if not viewer.support:
        raise Denied(
            "Temporary passwords can only be reset by support.",
            code="SUPPORT_ONLY",
            remedy="Ask support with requestSupport, and say for whom and why.",
        )
    return UserId(user_id)


def permit_new_password(viewer: Viewer) -> UserId:
    """A session that began with a temporary password may set one; nobody else does it this way."""
    if viewer.kind is not Kind.USER or viewer.user_id is None:
        raise Unauthenticated("Sign in with your temporary password first.")
    if viewer.stage is not Stage.SET_PASSWORD:
        raise Denied("Your password is set already.", code="PASSWORD_ALREADY_SET")
    return UserId(viewer.user_id)


def scope(viewer: Viewer, asked: OrganizationId | None) -> OrganizationId:
    """The organization a read is about: the viewer's own, or for support the one asked for, unless it is inside one. NotFound
    for any other, exactly as for one that never was."""
    viewer.require_user()
    if viewer.support and viewer.organization_id is None and asked is not None:
        return asked
    own = viewer.require_organization()
    if asked is not None and asked != own:
        raise NotFound("There is no such organization.", field="organizationId")
    return OrganizationId(own)


def may_see_organization(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """Its own users, support, and our own services."""
    if viewer.kind is Kind.SERVICE:
        return True
    return viewer.is_user and (viewer.support or viewer.organization_id == organization_id)


def may_see_advice(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """R01: how many client admins there are is for themselves, for who looks on with them, and for support."""
    own = viewer.organization_id == organization_id
    return viewer.is_user and (
        outside(viewer) or (own and (viewer.client_admin or viewer.reporting_only))
    )


def outside(viewer: Viewer) -> bool:
    """Support that is in no organization; inside one, it sees and does there what a client admin does, and nothing elsewhere."""
    return viewer.support and viewer.organization_id is None


def may_read_names(viewer: Viewer) -> bool:
    """The names of the network's organizations: everybody who works in it, for a receiver reads who sent a referral."""
    return viewer.kind is Kind.SERVICE or viewer.is_user


def may_see_contact(viewer: Viewer, user: User) -> bool:
    """Addresses of mail and the state of an invitation: oneself, client admins (also who only looks), office admins, support."""
    if viewer.user_id == user.id or viewer.support:
        return True
    own = viewer.organization_id == user.organization_id
    return own and (viewer.client_admin or viewer.reporting_only or bool(viewer.office_admin_of))


def found(user: User | None) -> User:
    """A user of the organization; NotFound for any other, exactly as for one that never was."""
    if user is None:
        raise NotFound("There is no such user.", field="userId")
    return user


def may_grant(viewer: Viewer, organization_id: OrganizationId, wanted: RoleWanted) -> bool:
    """R08: client admins grant everything (but see `permit_upgrade`); office admins make office staff at their own offices."""
    if not viewer.is_user or viewer.organization_id != organization_id:
        return False
    if viewer.client_admin:
        return True
    return wanted.role is Role.OFFICE_STAFF and wanted.office_id in viewer.office_admin_of


def permit_grant(viewer: Viewer, organization_id: OrganizationId, wanted: RoleWanted) -> None:
    """Denied unless `may_grant` (R08)."""
    viewer.require_organization()
    if not may_grant(viewer, organization_id, wanted):
        raise Denied(
            f"You may not decide who is {wanted.role.replace('_', ' ').lower()} here.",
            field="role",
            remedy="Ask a client admin.",
        )


def permit_upgrade(viewer: Viewer, wanted: RoleWanted) -> None:
    """R01: a client admin is invited as one by a client admin; making one of a user who is there already is support's."""
    if wanted.role is Role.CLIENT_ADMIN and not viewer.support:
        raise Denied(
            "Only support makes a client admin of somebody who is a user already.",
            code="SUPPORT_ONLY",
            field="role",
            remedy="Ask support with requestSupport, and say for whom and why.",
        )


def permit_copying(viewer: Viewer) -> OrganizationId:
    """R08: only client admins give one user what another has."""
    return permit_client_admin(viewer, "Only client admins copy roles.")


def permit_candidates(viewer: Viewer) -> OrganizationId:
    """R-S1: who might be office admin is for client admins, who decide about it, and for who looks on with them."""
    if viewer.reporting_only:
        return OrganizationId(viewer.require_organization())
    return permit_client_admin(viewer, "Only client admins decide about office admins.")


def permit_unconfirmed(viewer: Viewer) -> tuple[OrganizationId, frozenset[UUID] | None]:
    """R04: who has not confirmed yet; for client admins everybody (None), for office admins those of their own offices."""
    own = OrganizationId(viewer.require_organization())
    if viewer.client_admin or viewer.reporting_only:
        return own, None
    if not viewer.office_admin_of:
        raise Denied("Only admins see who has not confirmed.", remedy="Ask a client admin.")
    return own, viewer.office_admin_of


def permit_client_admin(viewer: Viewer, message: str) -> OrganizationId:
    """The organization of a client admin; Denied with the message for anybody else."""
    own = OrganizationId(viewer.require_organization())
    if not viewer.client_admin:
        raise Denied(message, remedy="Ask a client admin.")
    return own


def permit_invite(
    viewer: Viewer, organization_id: OrganizationId, wanted: tuple[RoleWanted, ...]
) -> None:
    """R03: client admins invite anybody; office admins invite staff for their own offices, naming at least one."""
    viewer.require_organization()
    if not may_invite(viewer, organization_id):
        raise Denied("You may not invite users.", remedy="Ask a client admin.")
    if not wanted and not viewer.client_admin:
        raise Denied(
            "An office admin invites staff for an office.",
            field="roles",
            remedy="Name the office the new user is to work for.",
        )
    for role in wanted:
        permit_grant(viewer, organization_id, role)


def may_invite(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """R03: client admins and office admins of the organization."""
    own = viewer.is_user and viewer.organization_id == organization_id
    return own and (viewer.client_admin or bool(viewer.office_admin_of))


def may_deactivate(viewer: Viewer, user: User) -> bool:
    """R07: client admins; office admins those who are staff of their own offices and nothing else."""
    if not viewer.is_user or viewer.organization_id != user.organization_id:
        return False
    return viewer.client_admin or is_own_staff(viewer, user)


def is_own_staff(viewer: Viewer, user: User) -> bool:
    """Whether all the user is granted is to be staff of offices the viewer manages."""
    return bool(user.grants) and all(
        grant.role is Role.OFFICE_STAFF and grant.office_id in viewer.office_admin_of
        for grant in user.grants
    )


def permit_deactivate(viewer: Viewer, user: User) -> None:
    """Denied unless `may_deactivate` (R07)."""
    viewer.require_organization()
    if not may_deactivate(viewer, user):
        raise Denied("You may not deactivate this user.", remedy="Ask a client admin.")


def may_reactivate(viewer: Viewer, user: User, previous: Iterable[Grant]) -> bool:
    """R07: client admins; office admins those who were staff of their own offices and nothing else."""
    return may_deactivate(viewer, replace(user, grants=tuple(previous)))


def permit_reactivate(
    viewer: Viewer, user: User, previous: Sequence[Grant], wanted: Iterable[RoleWanted]
) -> None:
    """Denied unless `may_reactivate`, and every role is the viewer's to give. Who was client admin may be one again."""
    viewer.require_organization()
    if not (
        may_reactivate(viewer, user, previous) or (user.active and may_deactivate(viewer, user))
    ):
        raise Denied("You may not reactivate this user.", remedy="Ask a client admin.")
    had = {grant.role for grant in previous}
    for role in wanted:
        permit_grant(viewer, user.organization_id, role)
        if role.role not in had:
            permit_upgrade(viewer, role)


def permit_title(viewer: Viewer, user: User) -> None:
    """What a user is called: whoever could deactivate them."""
    viewer.require_organization()
    if not may_deactivate(viewer, user):
        raise Denied("You may not change this user's title.", remedy="Ask a client admin.")


def permit_resend(viewer: Viewer, user: User) -> None:
    """R04: whoever could have invited the user may send the same mail again."""
    viewer.require_organization()
    if not may_deactivate(viewer, user):
        raise Denied("You may not send this user's mail again.", remedy="Ask a client admin.")


def permit_partners(viewer: Viewer) -> OrganizationId:
    """Partners and their credentials are for client admins."""
    own = OrganizationId(viewer.require_organization())
    if not viewer.client_admin:
        raise Denied("Only client admins decide about partners.", remedy="Ask a client admin.")
    return own


def may_answer_about(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """What siblings ask over gRPC: for themselves about anybody, on a user's behalf about the user's own organization."""
    return viewer.kind is Kind.SERVICE or may_see_organization(viewer, organization_id)


def permit_introspection(viewer: Viewer) -> None:
    """Access tokens are shown to our own processes only."""
    if viewer.kind is not Kind.SERVICE:
        raise Denied("Only the suite's own parts ask this.")


# How people prove who they are ----------------------------------------------------------------------------------------


def permit_credentials(viewer: Viewer) -> UserId:
    """Everybody decides about the credentials of one's own account, and nobody about another's."""
    return UserId(viewer.require_user())


def permit_adding_factor(viewer: Viewer) -> UserId:
    """The same, also in a session that can do nothing else because its user must have a second factor."""
    if viewer.stage is Stage.ENROL_FACTOR and viewer.user_id is not None:
        return UserId(viewer.user_id)
    return permit_credentials(viewer)


def permit_answer(viewer: Viewer) -> UserId:
    """A session that waits for the second factor may be given one; no other session asks for it."""
    if viewer.kind is not Kind.USER or viewer.user_id is None:
        raise Unauthenticated("Sign in with your password first.")
    if viewer.stage is not Stage.SECOND_FACTOR:
        raise Denied("This session does not ask for a second factor.", code="NOTHING_ASKED")
    return UserId(viewer.user_id)


def permit_factor_reset(viewer: Viewer) -> UserId:
    """Denied SUPPORT_ONLY for everybody else, client admins included: who can take a second factor away can come in without."""
    user_id = viewer.require_user()
    if not viewer.support:
        raise Denied(
            "Lost second factors can only be reset by support.",
            code="SUPPORT_ONLY",
            remedy="Ask support with requestSupport, and say for whom and why.",
        )
    return UserId(user_id)


def may_decide_sign_in(viewer: Viewer, organization_id: OrganizationId) -> bool:
    """How an organization's people sign in: its client admins, and support."""
    if not viewer.is_user:
        return False
    return viewer.support or (viewer.client_admin and viewer.organization_id == organization_id)


def permit_sign_in_rules(viewer: Viewer, asked: OrganizationId | None) -> OrganizationId:
    """Denied unless `may_decide_sign_in`; support names the organization. NotFound for any other than the client admin's own."""
    here = scope(viewer, asked)
    if not may_decide_sign_in(viewer, here):
        raise Denied(
            "Only client admins decide how people sign in here.", remedy="Ask a client admin."
        )
    return here


# What may be done now -------------------------------------------------------------------------------------------------


def user_actions(
    viewer: Viewer, user: User, now: datetime, previous: Iterable[Grant] = ()
) -> tuple[UserAction, ...]:
    """What the viewer may do about the user now. Support does what client admins do, with a reason. `previous` are the grants that a
    deactivated user had."""
    powers = viewer
    if viewer.is_user and outside(viewer):
        powers = replace(viewer, organization_id=user.organization_id, client_admin=True)
    manages = may_deactivate(powers, user)
    waiting = user.active and user.status(now) in {Status.INVITED, Status.INVITE_BOUNCED}
    support = viewer.is_user and viewer.support and user.active and not user.confirmed
    answers = {
        UserAction.GRANT_ROLE: user.active and may_invite(powers, user.organization_id),
        UserAction.REVOKE_ROLE: user.active
        and any(may_grant(powers, user.organization_id, grant.wanted) for grant in user.grants),
        UserAction.DEACTIVATE: user.active and manages,
        UserAction.REACTIVATE: not user.active and may_reactivate(powers, user, previous),
        UserAction.COPY_ROLES: user.active and manages and viewer.client_admin,
        UserAction.CHANGE_TITLE: user.active and manages and not outside(viewer),
        UserAction.REPORT_BOUNCE: support and waiting,
        UserAction.RESEND_INVITATION: manages and waiting and not outside(viewer),
        UserAction.RESET_TEMPORARY_PASSWORD: support,
        UserAction.RESET_SECOND_FACTORS: viewer.is_user and viewer.support,
    }
    return tuple(action for action, allowed in answers.items() if allowed)


def organization_actions(
    viewer: Viewer, organization: Organization
) -> tuple[OrganizationAction, ...]:
    """What the viewer may do about the organization now."""
    own = viewer.is_user and viewer.organization_id == organization.id
    answers = {
        OrganizationAction.INVITE_USER: may_invite(viewer, organization.id),
        OrganizationAction.ADD_PARTNER: own and viewer.client_admin,
        OrganizationAction.DISMISS_CANDIDATE: own and viewer.client_admin,
        OrganizationAction.CHANGE_SIGN_IN: may_decide_sign_in(viewer, organization.id),
        OrganizationAction.BREAK_GLASS: viewer.is_user
        and viewer.support
        and viewer.organization_id is None,
        OrganizationAction.END_BREAK_GLASS: own and viewer.support,
    }
    return tuple(action for action, allowed in answers.items() if allowed)


def partner_actions(viewer: Viewer, partner: Partner) -> tuple[PartnerAction, ...]:
    """What the viewer may do about the partner now."""
    own = viewer.is_user and viewer.organization_id == partner.organization_id
    removable = own and viewer.client_admin and partner.removed_at is None
    return (PartnerAction.REMOVE,) if removable else ()


def permit_audit(viewer: Viewer) -> OrganizationId:
    """The organization whose audit trail the viewer may read: for its client admins, and for support while it acts there."""
    organization_id = viewer.require_organization()
    if not (viewer.client_admin or viewer.reporting_only or viewer.support):
        raise Denied(
            "The audit trail is for client admins.",
            remedy="Ask a client admin of your organization.",
        )
    return OrganizationId(organization_id)
