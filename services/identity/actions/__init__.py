"""The verbs of identity: one function, one transaction, and the facts it made true."""

from services.identity.actions.accounts import (
    confirm_account,
    ensure_support,
    reset_temporary_password,
    set_password,
)
from services.identity.actions.asking import (
    Asked,
    answer_request,
    request_support,
    take_request,
)
from services.identity.actions.bounces import (
    report_bounce,
)
from services.identity.actions.breaking_glass import (
    Entry,
    break_glass,
    end_break_glass,
    end_expired,
)
from services.identity.actions.candidates import (
    dismiss_candidate,
    office_admin_candidates,
)
from services.identity.actions.challenges import (
    Answer,
    answer_second_factor,
    prove_identity,
    start_proof,
)
from services.identity.actions.change_notices import (
    write_of_override,
    write_to_call_centre,
    write_to_client_admins,
)
from services.identity.actions.deciding import (
    ServiceKnown,
    ServiceWanted,
    change_sign_in_rules,
    change_sign_in_service,
    remove_sign_in_service,
    sign_in_rules,
    sign_in_service,
    verify_sign_in_domain,
)
from services.identity.actions.enrolment import Person, RoleAsked, roles_for
from services.identity.actions.factors import (
    Added,
    NewApp,
    SecondFactors,
    add_passkey,
    add_totp,
    make_recovery_codes,
    remove_factor,
    rename_factor,
    reset_second_factors,
    second_factors,
    start_passkey,
    start_totp,
)
from services.identity.actions.forgotten import (
    LINK_MINUTES,
    answer_forgotten,
    forget_password,
    set_new_password,
)
from services.identity.actions.lapsing import (
    follow_merge,
    lapse_everywhere,
    lapse_grants,
    lapse_provider,
    open_office,
    tell_expired_invitations,
)
from services.identity.actions.leaving import (
    Agreed,
    LeavingShown,
    deactivate_the_away,
    deactivate_user,
    preview_deactivation,
)
from services.identity.actions.means import (
    Call,
    Hasher,
    Keyring,
    Means,
    Post,
    Support,
    Vault,
)
from services.identity.actions.notifying import (
    change_notice_preference,
    forget_notices,
    mail_notices,
    note,
    notice_preferences,
    withdraw,
    withdraw_from_provider,
)
from services.identity.actions.openid import OpenId
from services.identity.actions.opening import Challenge, SignedIn
from services.identity.actions.organizations import (
    Changed,
    Opened,
    add_organization,
    change_title,
    invite_user,
    resend_invitation,
)
from services.identity.actions.own import require_fresh_proof
from services.identity.actions.partners import (
    NewPartner,
    add_partner,
    find_partner,
    keep_consumer,
    keep_consumers,
    remove_partner,
)
from services.identity.actions.passkeys import Passkeys
from services.identity.actions.peers import (
    Directory,
    Referrals,
)
from services.identity.actions.post import send_letters
from services.identity.actions.returning import (
    reactivate_user,
)
from services.identity.actions.roles import (
    CopyShown,
    copy_roles,
    grant_role,
    preview_copy,
    revoke_role,
)
from services.identity.actions.sessions import (
    introspect,
    refresh_session,
    sign_in,
    sign_out,
)
from services.identity.actions.sso import (
    Come,
    Departure,
    finish_single_sign_on,
    start_single_sign_on,
)
from services.identity.actions.support_staff import (
    end_away_support,
    end_support_account,
    support_accounts,
)
from services.identity.actions.tidying import tidy
from services.identity.actions.tokens import Rotated, care_for_keys, jwks, rotate_signing_keys
from services.identity.actions.web import Web
from services.identity.actions.within import AsSupport

__all__ = [
    "LINK_MINUTES",
    "Added",
    "Agreed",
    "Answer",
    "AsSupport",
    "Asked",
    "Call",
    "Challenge",
    "Changed",
    "Come",
    "CopyShown",
    "Departure",
    "Directory",
    "Entry",
    "Hasher",
    "Keyring",
    "LeavingShown",
    "Means",
    "NewApp",
    "NewPartner",
    "OpenId",
    "Opened",
    "Passkeys",
    "Person",
    "Post",
    "Referrals",
    "RoleAsked",
    "Rotated",
    "SecondFactors",
    "ServiceKnown",
    "ServiceWanted",
    "SignedIn",
    "Support",
    "Vault",
    "Web",
    "add_organization",
    "add_partner",
    "add_passkey",
    "add_totp",
    "answer_forgotten",
    "answer_request",
    "answer_second_factor",
    "break_glass",
    "care_for_keys",
    "change_notice_preference",
    "change_sign_in_rules",
    "change_sign_in_service",
    "change_title",
    "confirm_account",
    "copy_roles",
    "deactivate_the_away",
    "deactivate_user",
    "dismiss_candidate",
    "end_away_support",
    "end_break_glass",
    "end_expired",
    "end_support_account",
    "ensure_support",
    "find_partner",
    "finish_single_sign_on",
    "follow_merge",
    "forget_notices",
    "forget_password",
    "grant_role",
    "introspect",
    "invite_user",
    "jwks",
    "keep_consumer",
    "keep_consumers",
    "lapse_everywhere",
    "lapse_grants",
    "lapse_provider",
    "mail_notices",
    "make_recovery_codes",
    "note",
    "notice_preferences",
    "office_admin_candidates",
    "open_office",
    "preview_copy",
    "preview_deactivation",
    "prove_identity",
    "reactivate_user",
    "refresh_session",
    "remove_factor",
    "remove_partner",
    "remove_sign_in_service",
    "rename_factor",
    "report_bounce",
    "request_support",
    "require_fresh_proof",
    "resend_invitation",
    "reset_second_factors",
    "reset_temporary_password",
    "revoke_role",
    "roles_for",
    "rotate_signing_keys",
    "second_factors",
    "send_letters",
    "set_new_password",
    "set_password",
    "sign_in",
    "sign_in_rules",
    "sign_in_service",
    "sign_out",
    "start_passkey",
    "start_proof",
    "start_single_sign_on",
    "start_totp",
    "support_accounts",
    "take_request",
    "tell_expired_invitations",
    "tidy",
    "verify_sign_in_domain",
    "withdraw",
    "withdraw_from_provider",
    "write_of_override",
    "write_to_call_centre",
    "write_to_client_admins",
]
