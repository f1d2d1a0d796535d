"""Which verbs want a fresh proof of who it is, and of whom: those that act as or for others, that give powers or secrets away, and that
weaken how people sign in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kit.auth import Viewer
from services.identity.domain import Role


@dataclass(frozen=True, slots=True)
class Attempt:
    """A verb that is tried, as far as it matters here: by whom, and the roles it would give."""

    viewer: Viewer
    roles: frozenset[Role] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """Of whom the proof is asked, and how the schema says so. Who may not do the verb anyhow is refused by it, and not asked before."""

    judge: Callable[[Attempt], bool]
    whom: str


_EVERYBODY: Final = Asked(lambda it: it.viewer.user_id is not None, "everybody")
_SUPPORT: Final = Asked(lambda it: it.viewer.is_user and it.viewer.support, "support")
_DECIDERS: Final = Asked(
    lambda it: it.viewer.is_user and (it.viewer.support or it.viewer.client_admin), "everybody"
)
_FOR_ADMINS: Final = Asked(
    lambda it: _SUPPORT.judge(it) or (it.viewer.is_user and Role.CLIENT_ADMIN in it.roles),
    "support, and whoever makes a client admin,",
)

PROOFS: Final[Mapping[str, Asked]] = {
    # one's own credentials
    "startTotp": _EVERYBODY,
    "addTotp": _EVERYBODY,
    "startPasskey": _EVERYBODY,
    "addPasskey": _EVERYBODY,
    "removeSecondFactor": _EVERYBODY,
    "makeRecoveryCodes": _EVERYBODY,
    # how an organization's people sign in
    "changeSignInRules": _DECIDERS,
    "changeSignInService": _DECIDERS,
    "removeSignInService": _DECIDERS,
    "verifySignInDomain": _SUPPORT,
    # support's hand on others' accounts
    "resetTemporaryPassword": _SUPPORT,
    "resetSecondFactors": _SUPPORT,
    "endSupportAccount": _SUPPORT,
    # support in an organization, by asSupport or inside, and client admins who make others
    "breakGlass": _SUPPORT,
    "inviteUser": _FOR_ADMINS,
    "grantRole": _SUPPORT,
    "revokeRole": _SUPPORT,
    "copyRoles": _SUPPORT,
    "deactivateUser": _SUPPORT,
    "reactivateUser": _FOR_ADMINS,
    "reportBounce": _SUPPORT,
    # a key to all the organization's facts, which outlives every session
    "addPartner": _DECIDERS,
}
"""By the verb's name. Not among them: what only takes powers of one's own away (removePartner, signOut), what has no effect on others
(titles, preferences), `rotateSigningKeys`, which is there for the worst moment and weakens nothing, and `addOrganization`."""


def wants_proof(verb: str, attempt: Attempt) -> bool:
    """Whether whoever tries the verb is asked to have proved within ten minutes who they are."""
    asked = PROOFS.get(verb)
    return asked is not None and asked.judge(attempt)


def said_of(verb: str) -> str:
    """What the schema says of it; empty when no proof is wanted."""
    asked = PROOFS.get(verb)
    if asked is None:
        return ""
    return f"Asks {asked.whom} for a proof not older than ten minutes of who it is (STEP_UP_REQUIRED: proveIdentity)."
