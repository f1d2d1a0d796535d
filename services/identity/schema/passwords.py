"""A forgotten password."""

from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, own_mutation
from services.identity import actions
from services.identity.schema.sessions import PasswordSet, password_set
from services.identity.schema.types import Info


@strawberry.type(
    description="If the address has a password to forget, a mail is on its way to it. The answer is the same if it has none."
)
class NewPasswordRequested:
    """NewPasswordRequested."""

    minutes: int = strawberry.field(description="So long the mail's link works.")


RequestNewPasswordResult = Annotated[
    NewPasswordRequested | CommonProblems, strawberry.union("RequestNewPasswordResult")
]
SetNewPasswordResult = Annotated[
    PasswordSet | CommonProblems, strawberry.union("SetNewPasswordResult")
]


@strawberry.input
class RequestNewPasswordInput:
    """Whose password is forgotten."""

    email: str


@strawberry.input
class SetNewPasswordInput:
    """The token stands in the mail's link, behind `#token=`."""

    token: str
    new_password: str


@strawberry.type
class PasswordMutation:
    """Forgotten passwords."""

    @own_mutation
    async def request_new_password(
        self, info: Info, input: RequestNewPasswordInput
    ) -> RequestNewPasswordResult:
        """Say that the password of an address is forgotten. First passwords are support's to renew."""
        await actions.forget_password(info.context.call, input.email)
        return NewPasswordRequested(minutes=actions.LINK_MINUTES)

    @own_mutation
    async def set_new_password(
        self, info: Info, input: SetNewPasswordInput
    ) -> SetNewPasswordResult:
        """Set another password with a mail's link, once. Every session of the user is over."""
        call = info.context.call
        user_id = await actions.set_new_password(call, input.token, input.new_password)
        return await password_set(info, user_id)
