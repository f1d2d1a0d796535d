"""The verbs of identity: one function, one transaction, and the facts it made true."""

from services.identity.actions.accounts import (
    confirm_account,
    ensure_support,
    reset_temporary_password,
    set_password,
)
from services.identity.actions.challenges import (
    Answer,
    answer_second_factor,
    prove_identity,
    start_proof,
)
from services.identity.actions.enrolment import Person, roles_for
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
from services.identity.actions.opening import Challenge, SignedIn
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
from services.identity.actions.passkeys import Passkeys
from services.identity.actions.post import send_letters
from services.identity.actions.roles import grant_role, lapse_grants, revoke_role
from services.identity.actions.sessions import (
    introspect,
    refresh_session,
    sign_in,
    sign_out,
)
from services.identity.actions.tidying import tidy
from services.identity.actions.tokens import Rotated, care_for_keys, jwks, rotate_signing_keys

__all__ = [
    "Added",
    "Answer",
    "Call",
    "Challenge",
    "Changed",
    "Directory",
    "Hasher",
    "Keyring",
    "Means",
    "NewApp",
    "NewPartner",
    "Opened",
    "Passkeys",
    "Person",
    "Post",
    "Rotated",
    "SecondFactors",
    "SignedIn",
    "Support",
    "Vault",
    "add_organization",
    "add_partner",
    "add_passkey",
    "add_totp",
    "answer_second_factor",
    "care_for_keys",
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
    "make_recovery_codes",
    "prove_identity",
    "refresh_session",
    "remove_factor",
    "remove_partner",
    "rename_factor",
    "resend_invitation",
    "reset_second_factors",
    "reset_temporary_password",
    "revoke_role",
    "roles_for",
    "rotate_signing_keys",
    "second_factors",
    "send_letters",
    "set_password",
    "sign_in",
    "sign_out",
    "start_passkey",
    "start_proof",
    "start_totp",
    "tidy",
]
