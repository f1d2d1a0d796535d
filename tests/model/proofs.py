"""Which of identity's verbs ask for a proof of who it is that is not older than ten minutes, and of whom (R25)."""

from __future__ import annotations

from tests.model.words import anybody, client_admin, either, support

OWN = ("startTotp", "addTotp", "startPasskey", "addPasskey", "removeSecondFactor")
PROOFS = {
    **dict.fromkeys((*OWN, "makeRecoveryCodes"), anybody),
    **dict.fromkeys(
        ("changeSignInRules", "changeSignInService", "removeSignInService", "addPartner"),
        either(support, client_admin),
    ),
    **dict.fromkeys(
        (
            "verifySignInDomain",
            "resetTemporaryPassword",
            "resetSecondFactors",
            "endSupportAccount",
            "breakGlass",
            "reportBounce",
            "inviteUser",
            "reactivateUser",
            "deactivateUser",
            "grantRole",
            "revokeRole",
            "copyRoles",
        ),
        support,
    ),
}
"""Of whom a fresh proof is asked. Of client admins also for `inviteUser` and `reactivateUser`, when they make another one."""
