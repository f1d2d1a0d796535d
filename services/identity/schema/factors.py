"""Second factors: adding, naming and removing them, answering for them, and support's reset."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from kit.graphql import CommonProblems, mutation, own_mutation
from kit.ids import parse_id
from services.identity import actions, domain
from services.identity.domain import FactorId, UserId
from services.identity.schema.sessions import SecondFactorChallenge, SecondFactorKind, SignedIn
from services.identity.schema.types import Info

LONGEST_NAME = 100


@strawberry.type(description="An authenticator app or a passkey of the viewer's.")
class SecondFactor:
    """SecondFactor."""

    id: strawberry.ID
    kind: SecondFactorKind  # type: ignore[valid-type]
    name: str
    added_at: datetime
    used_at: datetime | None

    @classmethod
    def of(cls, row: domain.Factor) -> "SecondFactor":
        """As GraphQL tells it."""
        return cls(
            id=_id(row.id),
            kind=row.kind,
            name=row.name,
            added_at=row.added_at,
            used_at=row.used_at,
        )


@strawberry.type(description="What the viewer proves who they are with besides a password.")
class SecondFactors:
    """SecondFactors."""

    factors: list[SecondFactor]
    recovery_codes_left: int
    required: bool = strawberry.field(
        description="The last one cannot be removed: the suite, or an organization the viewer acts for, wants one."
    )

    @classmethod
    def of(cls, found: actions.SecondFactors) -> "SecondFactors":
        """As GraphQL tells it."""
        return cls(
            factors=[SecondFactor.of(one) for one in found.factors],
            recovery_codes_left=found.recovery_codes_left,
            required=found.required,
        )


@strawberry.type(
    description="What an authenticator app is told; it counts once addTotp was given a code of it."
)
class TotpStarted:
    """TotpStarted."""

    secret: str = strawberry.field(description="To be typed into the app, where no camera is.")
    uri: str = strawberry.field(description="To be shown as a QR code.")


@strawberry.type(description="What the browser is to be given.")
class PasskeyStarted:
    """PasskeyStarted."""

    options: str = strawberry.field(
        description="JSON for PublicKeyCredential.parseCreationOptionsFromJSON."
    )


@strawberry.type(description="A new second factor. Every other session of the user is over.")
class SecondFactorAdded:
    """SecondFactorAdded."""

    factor: SecondFactor
    recovery_codes: list[str] = strawberry.field(
        description="With the first factor: ten codes, each good once in its place. They are shown this once."
    )
    signed_in: SignedIn | None = strawberry.field(
        description="In a session that could only add a factor: the one that goes on from here."
    )

    @classmethod
    def of(cls, added: actions.Added) -> "SecondFactorAdded":
        """As GraphQL tells it."""
        return cls(
            factor=SecondFactor.of(added.factor),
            recovery_codes=list(added.recovery_codes),
            signed_in=SignedIn.of(added.signed_in) if added.signed_in else None,
        )


@strawberry.type(description="New recovery codes; those before are void.")
class RecoveryCodesMade:
    """RecoveryCodesMade."""

    recovery_codes: list[str] = strawberry.field(description="They are shown this once.")


@strawberry.type(description="What may prove that it is the viewer.")
class ProofStarted:
    """ProofStarted."""

    challenge: SecondFactorChallenge | None = strawberry.field(
        description="One of the second factors; null: the password."
    )


@strawberry.type(description="It is the viewer: credentials may be changed for a while.")
class IdentityProved:
    """IdentityProved."""

    until: datetime


@strawberry.type(description="The user has no second factor any more.")
class SecondFactorsReset:
    """SecondFactorsReset."""

    user_id: strawberry.ID


StartTotpResult = Annotated[TotpStarted | CommonProblems, strawberry.union("StartTotpResult")]
StartPasskeyResult = Annotated[
    PasskeyStarted | CommonProblems, strawberry.union("StartPasskeyResult")
]
AddTotpResult = Annotated[SecondFactorAdded | CommonProblems, strawberry.union("AddTotpResult")]
AddPasskeyResult = Annotated[
    SecondFactorAdded | CommonProblems, strawberry.union("AddPasskeyResult")
]
RenameSecondFactorResult = Annotated[
    SecondFactor | CommonProblems, strawberry.union("RenameSecondFactorResult")
]
RemoveSecondFactorResult = Annotated[
    SecondFactors | CommonProblems, strawberry.union("RemoveSecondFactorResult")
]
MakeRecoveryCodesResult = Annotated[
    RecoveryCodesMade | CommonProblems, strawberry.union("MakeRecoveryCodesResult")
]
AnswerSecondFactorResult = Annotated[
    SignedIn | CommonProblems, strawberry.union("AnswerSecondFactorResult")
]
StartProofResult = Annotated[ProofStarted | CommonProblems, strawberry.union("StartProofResult")]
ProveIdentityResult = Annotated[
    IdentityProved | CommonProblems, strawberry.union("ProveIdentityResult")
]
ResetSecondFactorsResult = Annotated[
    SecondFactorsReset | CommonProblems, strawberry.union("ResetSecondFactorsResult")
]


@strawberry.input
class AddTotpInput:
    """The app's name is for its owner; the code is the one it shows now."""

    name: str
    code: str


@strawberry.input
class AddPasskeyInput:
    """The passkey's name is for its owner; the credential is what the browser answered, as JSON (toJSON())."""

    name: str
    credential: str


@strawberry.input
class RenameSecondFactorInput:
    """What to call it."""

    factor_id: strawberry.ID
    name: str


@strawberry.input
class RemoveSecondFactorInput:
    """Which one."""

    factor_id: strawberry.ID


@strawberry.input
class AnswerSecondFactorInput:
    """Exactly one of them: the code an app shows now, a recovery code, or what the browser answered, as JSON (toJSON())."""

    code: str | None = None
    recovery_code: str | None = None
    passkey: str | None = None


@strawberry.input
class ProveIdentityInput:
    """Exactly one of them; the password from who has no second factor."""

    code: str | None = None
    recovery_code: str | None = None
    passkey: str | None = None
    password: str | None = None


@strawberry.input
class ResetSecondFactorsInput:
    """Whose, and why."""

    user_id: strawberry.ID
    reason: str


@strawberry.type
class FactorQuery:
    """Second factors."""

    @strawberry.field
    async def second_factors(self, info: Info) -> SecondFactors | None:
        """The viewer's own second factors."""
        return SecondFactors.of(await actions.second_factors(info.context.call))


@strawberry.type
class FactorMutation:
    """Second factors. What changes credentials asks for a proof not older than ten minutes: signing in, or proveIdentity."""

    @own_mutation
    async def start_totp(self, info: Info) -> StartTotpResult:
        """A secret for an authenticator app; addTotp makes it count."""
        made = await actions.start_totp(info.context.call)
        return TotpStarted(secret=made.secret, uri=made.uri)

    @own_mutation
    async def add_totp(self, info: Info, input: AddTotpInput) -> AddTotpResult:
        """The app is a second factor from now on."""
        name = domain.line(input.name, "name", LONGEST_NAME)
        return SecondFactorAdded.of(await actions.add_totp(info.context.call, name, input.code))

    @own_mutation
    async def start_passkey(self, info: Info) -> StartPasskeyResult:
        """What the browser needs in order to make a passkey; addPasskey makes it count."""
        return PasskeyStarted(options=await actions.start_passkey(info.context.call))

    @own_mutation
    async def add_passkey(self, info: Info, input: AddPasskeyInput) -> AddPasskeyResult:
        """The passkey is a second factor from now on."""
        name = domain.line(input.name, "name", LONGEST_NAME)
        call = info.context.call
        return SecondFactorAdded.of(await actions.add_passkey(call, name, input.credential))

    @own_mutation
    async def rename_second_factor(
        self, info: Info, input: RenameSecondFactorInput
    ) -> RenameSecondFactorResult:
        """Call a second factor something else."""
        name = domain.line(input.name, "name", LONGEST_NAME)
        factor = _factor(input.factor_id)
        return SecondFactor.of(await actions.rename_factor(info.context.call, factor, name))

    @own_mutation
    async def remove_second_factor(
        self, info: Info, input: RemoveSecondFactorInput
    ) -> RemoveSecondFactorResult:
        """It is none any more; with the last one the recovery codes go. Every other session of the user is over."""
        factor = _factor(input.factor_id)
        return SecondFactors.of(await actions.remove_factor(info.context.call, factor))

    @own_mutation
    async def make_recovery_codes(self, info: Info) -> MakeRecoveryCodesResult:
        """Ten new recovery codes; those before are void."""
        codes = await actions.make_recovery_codes(info.context.call)
        return RecoveryCodesMade(recovery_codes=list(codes))

    @own_mutation
    async def answer_second_factor(
        self, info: Info, input: AnswerSecondFactorInput
    ) -> AnswerSecondFactorResult:
        """Finish signing in. All wrong answers are answered alike."""
        answer = actions.Answer(input.code, input.recovery_code, input.passkey)
        return SignedIn.of(await actions.answer_second_factor(info.context.call, answer))

    @own_mutation
    async def start_proof(self, info: Info) -> StartProofResult:
        """What proveIdentity is to be given."""
        challenge = await actions.start_proof(info.context.call)
        return ProofStarted(challenge=SecondFactorChallenge.of(challenge) if challenge else None)

    @own_mutation
    async def prove_identity(self, info: Info, input: ProveIdentityInput) -> ProveIdentityResult:
        """Prove once more that it is the viewer, who may then change credentials for ten minutes."""
        answer = actions.Answer(input.code, input.recovery_code, input.passkey, input.password)
        return IdentityProved(until=await actions.prove_identity(info.context.call, answer))

    @mutation
    async def reset_second_factors(
        self, info: Info, input: ResetSecondFactorsInput
    ) -> ResetSecondFactorsResult:
        """Support only: a user who has lost them has none any more, every session is over, and the user is told."""
        user_id = UserId(parse_id(input.user_id, "userId"))
        await actions.reset_second_factors(info.context.call, user_id, input.reason)
        return SecondFactorsReset(user_id=_id(user_id))


def _factor(text: strawberry.ID) -> FactorId:
    return FactorId(parse_id(text, "factorId"))


def _id(value: UUID) -> strawberry.ID:
    return strawberry.ID(str(value))
