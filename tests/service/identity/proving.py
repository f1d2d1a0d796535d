"""How tests prove who they are: the documents, an authenticator app, and passkeys."""

from __future__ import annotations

from typing import Any

from kit.auth import Viewer
from services.identity.domain.factors import code_at, step_at, unshown
from tests.service.identity.asking import PROBLEM
from tests.service.identity.conftest import Identity
from tests.support.authenticator import Authenticator

CHALLENGE = "challenge { kinds passkeyOptions endsAt }"
FACTOR = "id kind name addedAt usedAt"
IN = f"""... on SignedIn {{ accessToken refreshToken stage userId organizationId sessionEndsAt
    {CHALLENGE} }}"""
ADDED = f"""... on SecondFactorAdded {{ factor {{ {FACTOR} }} recoveryCodes
    signedIn {{ accessToken refreshToken stage }} }}"""
WAIT = "... on RateLimitedProblem { retryAfterSeconds }"

SIGN_IN = f"""mutation($input: SignInInput!) {{ signIn(input: $input) {{ __typename {PROBLEM} {IN} }} }}"""
ANSWER = f"""mutation($input: AnswerSecondFactorInput!) {{ answerSecondFactor(input: $input) {{
    __typename {PROBLEM} {IN} {WAIT} }} }}"""
START_TOTP = (
    f"mutation {{ startTotp {{ __typename {PROBLEM} ... on TotpStarted {{ secret uri }} }} }}"
)
ADD_TOTP = f"""mutation($input: AddTotpInput!) {{ addTotp(input: $input) {{ __typename {PROBLEM} {ADDED} }} }}"""
START_PASSKEY = f"""mutation {{ startPasskey {{ __typename {PROBLEM} ... on PasskeyStarted {{ options }} }} }}"""
ADD_PASSKEY = f"""mutation($input: AddPasskeyInput!) {{ addPasskey(input: $input) {{
    __typename {PROBLEM} {ADDED} }} }}"""
RENAME = f"""mutation($input: RenameSecondFactorInput!) {{ renameSecondFactor(input: $input) {{
    __typename {PROBLEM} ... on SecondFactor {{ {FACTOR} }} }} }}"""
REMOVE = f"""mutation($input: RemoveSecondFactorInput!) {{ removeSecondFactor(input: $input) {{
    __typename {PROBLEM} ... on SecondFactors {{ factors {{ {FACTOR} }} recoveryCodesLeft required }} }} }}"""
MAKE_CODES = f"""mutation {{ makeRecoveryCodes {{ __typename {PROBLEM}
    ... on RecoveryCodesMade {{ recoveryCodes }} }} }}"""
START_PROOF = f"""mutation {{ startProof {{ __typename {PROBLEM} ... on ProofStarted {{ {CHALLENGE} }} }} }}"""
PROVE = f"""mutation($input: ProveIdentityInput!) {{ proveIdentity(input: $input) {{
    __typename {PROBLEM} ... on IdentityProved {{ until }} {WAIT} }} }}"""
RESET = f"""mutation($input: ResetSecondFactorsInput!) {{ resetSecondFactors(input: $input) {{
    __typename {PROBLEM} ... on SecondFactorsReset {{ userId }} }} }}"""
FACTORS = f"{{ secondFactors {{ factors {{ {FACTOR} }} recoveryCodesLeft required }} }}"
SET_RULES = f"""mutation($input: ChangeSignInRulesInput!) {{ changeSignInRules(input: $input) {{
    __typename {PROBLEM} ... on SignInRules {{ secondFactorRequired version }} }} }}"""


class App:
    """An authenticator app with one secret."""

    def __init__(self, secret: str) -> None:
        self._secret = unshown(secret)

    def code(self, identity: Identity, *, later: int = 0) -> str:
        """The code it shows now, or so many half minutes later."""
        return code_at(self._secret, step_at(identity.running.parts.clock.real()) + later)


async def add_app(
    identity: Identity, viewer: Viewer, name: str = "Phone"
) -> tuple[App, dict[str, Any]]:
    """An authenticator app as a second factor, and what adding it answered. Its code of a half minute ago is used up."""
    started = await identity.mutate(START_TOTP, None, viewer)
    assert started["__typename"] == "TotpStarted", started
    app = App(started["secret"])
    code = app.code(identity, later=-1)
    added = await identity.mutate(ADD_TOTP, {"name": name, "code": code}, viewer)
    assert added["__typename"] == "SecondFactorAdded", added
    return app, added


async def add_passkey(
    identity: Identity, viewer: Viewer, key: Authenticator | None = None, name: str = "Key"
) -> tuple[Authenticator, dict[str, Any]]:
    """A passkey as a second factor, and what adding it answered."""
    key = key or Authenticator()
    started = await identity.mutate(START_PASSKEY, None, viewer)
    assert started["__typename"] == "PasskeyStarted", started
    said = {"name": name, "credential": key.create(started["options"])}
    return key, await identity.mutate(ADD_PASSKEY, said, viewer)


async def begin(identity: Identity, email: str, **more: object) -> tuple[Viewer, dict[str, Any]]:
    """Signing in with the password: the viewer it makes, and what it answered."""
    from tests.service.identity.conftest import PASSWORD  # noqa: PLC0415

    said = {"email": email, "password": PASSWORD} | more
    begun = await identity.mutate(SIGN_IN, said)
    assert begun["__typename"] == "SignedIn", begun
    return await identity.viewer(begun["accessToken"]), begun


async def answer(identity: Identity, viewer: Viewer, **said: str) -> dict[str, Any]:
    """What answering for the second factor answers."""
    return await identity.mutate(ANSWER, said, viewer)
