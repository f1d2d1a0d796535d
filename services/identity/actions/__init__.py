"""The verbs of identity: one function, one transaction, and the facts it made true."""

from services.identity.actions.accounts import (
    confirm_account,
    ensure_support,
    reset_temporary_password,
    set_password,
)
from services.identity.actions.enrolment import Person, roles_for
from services.identity.actions.means import (
    Call,
    Directory,
    Hasher,
    Keyring,
    Means,
    Post,
    Support,
    Vault,
)
from services.identity.actions.organizations import (
    Changed,
    Opened,
    add_organization,
    deactivate_user,
    invite_user,
    resend_invitation,
)
from services.identity.actions.partners import (
    NewPartner,
    add_partner,
    find_partner,
    keep_consumer,
    keep_consumers,
    remove_partner,
)
from services.identity.actions.post import send_letters
from services.identity.actions.roles import grant_role, lapse_grants, revoke_role
from services.identity.actions.sessions import (
    SignedIn,
    introspect,
    refresh_session,
    sign_in,
    sign_out,
)
from services.identity.actions.tidying import tidy
from services.identity.actions.tokens import jwks

__all__ = [
    "Call",
    "Changed",
    "Directory",
    "Hasher",
    "Keyring",
    "Means",
    "NewPartner",
    "Opened",
    "Person",
    "Post",
    "SignedIn",
    "Support",
    "Vault",
    "add_organization",
    "add_partner",
    "confirm_account",
    "deactivate_user",
    "ensure_support",
    "find_partner",
    "grant_role",
    "introspect",
    "invite_user",
    "jwks",
    "keep_consumer",
    "keep_consumers",
    "lapse_grants",
    "refresh_session",
    "remove_partner",
    "resend_invitation",
    "reset_temporary_password",
    "revoke_role",
    "roles_for",
    "send_letters",
    "set_password",
    "sign_in",
    "sign_out",
    "tidy",
]
