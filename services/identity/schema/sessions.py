"""Signing in, confirming, and signing out."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, Problem, mutation, own_mutation, problem_type
from kit.ids import parse_id
from services.identity import actions, domain, store
from services.identity.domain import OrganizationId, UserId
from services.identity.schema.types import Info, SessionStage


@strawberry.type(description="An organization to choose at sign-in.")
class OrganizationChoice:
    """OrganizationChoice."""

    id: strawberry.ID
    name: str


@problem_type("CHOOSE_ORGANIZATION")
@strawberry.type(description="The password is right, and the user works for several organizations.")
class ChooseOrganizationProblem(Problem):
    """CHOOSE_ORGANIZATION, with those there are."""

    memberships: strawberry.Private[tuple[domain.KnownMembership, ...]] = ()

    @strawberry.field
    def organizations(self) -> list[OrganizationChoice]:
        """Those the user works for."""
        return [
            OrganizationChoice(
                id=strawberry.ID(str(one.organization_id)), name=one.organization_name
            )
            for one in self.memberships
        ]


SecondFactorKind = strawberry.enum(domain.FactorKind, name="SecondFactorKind")


@strawberry.type(
    description="What is still asked for: one answer to one of the user's second factors."
)
class SecondFactorChallenge:
    """SecondFactorChallenge."""

    kinds: list[SecondFactorKind] = strawberry.field(  # type: ignore[valid-type]
        description="What the user has; a recovery code does in the place of any."
    )
    passkey_options: str | None = strawberry.field(
        description="JSON for PublicKeyCredential.parseRequestOptionsFromJSON; null without a passkey."
    )
    ends_at: datetime

    @classmethod
    def of(cls, challenge: actions.Challenge) -> "SecondFactorChallenge":
        """As GraphQL tells it."""
        return cls(
            kinds=list(challenge.kinds),
            passkey_options=challenge.passkey_options,
            ends_at=challenge.ends_at,
        )


@strawberry.type(description="An open session.")
class SignedIn:
    """SignedIn."""

    access_token: str = strawberry.field(description="Send it as a bearer token.")
    expires_at: datetime = strawberry.field(description="When the access token ends.")
    refresh_token: str | None = strawberry.field(
        description="Good for one refreshSession; null in a session of another stage than FULL."
    )
    stage: SessionStage = strawberry.field(  # type: ignore[valid-type]
        description="FULL; SET_PASSWORD: may call setPassword and nothing else; SECOND_FACTOR: answerSecondFactor and nothing "
        "else; ENROL_FACTOR: the user must have a second factor, and may add one and nothing else."
    )
    session_ends_at: datetime = strawberry.field(
        description="When the session ends, however often it is refreshed."
    )
    user_id: strawberry.ID
    organization_id: strawberry.ID | None
    challenge: SecondFactorChallenge | None = strawberry.field(
        description="In the stage SECOND_FACTOR: what answerSecondFactor is to be given."
    )

    @classmethod
    def of(cls, signed_in: actions.SignedIn) -> "SignedIn":
        """As GraphQL tells it."""
        session = signed_in.session
        here = session.organization_id
        return cls(
            access_token=signed_in.access.text,
            expires_at=signed_in.access.expires_at,
            refresh_token=signed_in.refresh_token,
            stage=session.stage,
            session_ends_at=session.ends_at,
            user_id=strawberry.ID(str(session.user_id)),
            organization_id=strawberry.ID(str(here)) if here else None,
            challenge=SecondFactorChallenge.of(signed_in.challenge)
            if signed_in.challenge
            else None,
        )


@strawberry.type(description="The session is over.")
class SignedOut:
    """SignedOut."""

    session_id: strawberry.ID


@strawberry.type(description="The account has a password of the user's own: sign in with it.")
class PasswordSet:
    """PasswordSet."""

    user_id: strawberry.ID
    email: str = strawberry.field(description="The address to sign in with.")


@strawberry.type(description="A new key signs access tokens; nobody is signed out by that.")
class SigningKeysRotated:
    """SigningKeysRotated."""

    kid: str
    signs_from: datetime = strawberry.field(description="From then on the new key signs.")
    others_end_at: datetime = strawberry.field(
        description="From then on no token of an earlier key is taken."
    )


RotateSigningKeysResult = Annotated[
    SigningKeysRotated | CommonProblems, strawberry.union("RotateSigningKeysResult")
]
SignInResult = Annotated[
    SignedIn | ChooseOrganizationProblem | CommonProblems, strawberry.union("SignInResult")
]
RefreshSessionResult = Annotated[
    SignedIn | CommonProblems, strawberry.union("RefreshSessionResult")
]
SignOutResult = Annotated[SignedOut | CommonProblems, strawberry.union("SignOutResult")]
ConfirmAccountResult = Annotated[
    PasswordSet | CommonProblems, strawberry.union("ConfirmAccountResult")
]
SetPasswordResult = Annotated[PasswordSet | CommonProblems, strawberry.union("SetPasswordResult")]


@strawberry.input
class SignInInput:
    """`organizationId` is needed by who works for several; support staff leave it out."""

    email: str
    password: str
    organization_id: strawberry.ID | None = None


@strawberry.input
class RefreshSessionInput:
    """The newest refresh token."""

    refresh_token: str


@strawberry.input
class ConfirmAccountInput:
    """The token stands in the mail's link, behind `#token=`."""

    token: str
    new_password: str


@strawberry.input
class SetPasswordInput:
    """A password of one's own: 15 characters or more."""

    new_password: str


@strawberry.input
class RotateSigningKeysInput:
    """`atOnce`, when a key has leaked: access tokens of earlier keys are refused within a minute, and users refresh theirs."""

    reason: str
    at_once: bool = False


@strawberry.type
class SessionMutation:
    """Sessions."""

    @own_mutation
    async def sign_in(self, info: Info, input: SignInInput) -> SignInResult:
        """Open a session with a password, or with a temporary one to set one's own."""
        here = input.organization_id
        chosen = OrganizationId(parse_id(here, "organizationId")) if here else None
        call = info.context.call
        return SignedIn.of(await actions.sign_in(call, input.email, input.password, chosen))

    @own_mutation
    async def refresh_session(self, info: Info, input: RefreshSessionInput) -> RefreshSessionResult:
        """New tokens for old. A refresh token that comes back after it was used ends the session, except that the one before
        the newest gets the newest again for ten seconds."""
        return SignedIn.of(await actions.refresh_session(info.context.call, input.refresh_token))

    @own_mutation
    async def sign_out(self, info: Info) -> SignOutResult:
        """End the session this request runs in."""
        await actions.sign_out(info.context.call)
        return SignedOut(session_id=strawberry.ID(str(info.context.call.viewer.session_id)))

    @own_mutation
    async def confirm_account(self, info: Info, input: ConfirmAccountInput) -> ConfirmAccountResult:
        """Confirm the account an invitation was sent for, by setting its password. Works once."""
        call = info.context.call
        return await password_set(
            info, await actions.confirm_account(call, input.token, input.new_password)
        )

    @mutation
    async def rotate_signing_keys(
        self, info: Info, input: RotateSigningKeysInput
    ) -> RotateSigningKeysResult:
        """Support only: a new key signs access tokens. Keys also change by themselves every 90 days."""
        call = info.context.call
        done = await actions.rotate_signing_keys(call, input.reason, at_once=input.at_once)
        return SigningKeysRotated(
            kid=done.kid, signs_from=done.signs_from, others_end_at=done.others_end_at
        )

    @own_mutation
    async def set_password(self, info: Info, input: SetPasswordInput) -> SetPasswordResult:
        """Set the first password of one's own, in a session begun with the temporary one, which it ends."""
        return await password_set(
            info, await actions.set_password(info.context.call, input.new_password)
        )


async def password_set(info: Info, user_id: UserId) -> PasswordSet:
    """What is told of who has set a password."""
    async with info.context.call.db.reading() as tx:
        account = await store.account(tx, user_id)
    if account is None:
        raise LookupError("an account that was just confirmed")
    return PasswordSet(user_id=strawberry.ID(str(user_id)), email=account.email)
