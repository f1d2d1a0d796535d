"""How an organization's people sign in: rules, its own sign-in service, and signing in there."""

from datetime import datetime
from typing import Annotated

import strawberry

from kit.graphql import CommonProblems, mutation, own_mutation
from kit.ids import parse_id
from services.identity import actions
from services.identity.domain import OrganizationId
from services.identity.schema.sessions import SignedIn
from services.identity.schema.types import Info
from services.identity.store import SignInRules as Rules


@strawberry.type(description="What an organization asks of its people at sign-in.")
class SignInRules:
    """SignInRules."""

    second_factor_required: bool = strawberry.field(
        description="Client admins, and support who act for all, need a second factor."
    )
    version: int = strawberry.field(description="0 before the first change.")

    @classmethod
    def of(cls, rules: Rules) -> "SignInRules":
        """As GraphQL tells it."""
        return cls(second_factor_required=rules.second_factor_required, version=rules.version)


@strawberry.type(description="A domain of mail an organization says is its own.")
class SignInDomain:
    """SignInDomain."""

    domain: str
    verified_at: datetime | None = strawberry.field(
        description="Since when support knows that it is; before, the sign-in service speaks for nobody there."
    )


@strawberry.type(description="The sign-in service of an organization (OpenID Connect).")
class SignInService:
    """SignInService. Its secret is never shown."""

    issuer: str
    client_id: str
    only: bool = strawberry.field(description="Its people do not sign in with passwords of ours.")
    domains: list[SignInDomain]
    redirect_uris: list[str] = strawberry.field(
        description="To be allowed there: where it may send people back to."
    )
    version: int
    changed_at: datetime

    @classmethod
    def of(cls, known: actions.ServiceKnown, info: Info) -> "SignInService":
        """As GraphQL tells it."""
        service = known.service
        return cls(
            issuer=service.issuer,
            client_id=service.client_id,
            only=service.only,
            domains=[
                SignInDomain(domain=one.domain, verified_at=one.verified_at)
                for one in known.domains
            ],
            redirect_uris=list(info.context.call.peers.openid.redirect_uris),
            version=service.version,
            changed_at=service.changed_at,
        )


@strawberry.type(description="There is no sign-in service any more.")
class SignInServiceRemoved:
    """SignInServiceRemoved."""

    organization_id: strawberry.ID


@strawberry.type(description="Send the browser there.")
class SingleSignOnStarted:
    """SingleSignOnStarted."""

    url: str
    secret: str = strawberry.field(
        description="Keep it in this browser, and bring it to finishSingleSignOn: nobody else can finish then."
    )
    ends_at: datetime


ChangeSignInRulesResult = Annotated[
    SignInRules | CommonProblems, strawberry.union("ChangeSignInRulesResult")
]
ChangeSignInServiceResult = Annotated[
    SignInService | CommonProblems, strawberry.union("ChangeSignInServiceResult")
]
RemoveSignInServiceResult = Annotated[
    SignInServiceRemoved | CommonProblems, strawberry.union("RemoveSignInServiceResult")
]
VerifySignInDomainResult = Annotated[
    SignInService | CommonProblems, strawberry.union("VerifySignInDomainResult")
]
StartSingleSignOnResult = Annotated[
    SingleSignOnStarted | CommonProblems, strawberry.union("StartSingleSignOnResult")
]
FinishSingleSignOnResult = Annotated[
    SignedIn | CommonProblems, strawberry.union("FinishSingleSignOnResult")
]


@strawberry.input
class ChangeSignInRulesInput:
    """Support names the organization, and why."""

    second_factor_required: bool
    expected_version: int
    organization_id: strawberry.ID | None = None
    reason: str | None = None


@strawberry.input
class ChangeSignInServiceInput:
    """Without `expectedVersion` there must be none yet; without `clientSecret` the one before stays. Support names the organization,
    and why."""

    issuer: str
    client_id: str
    client_secret: str | None = None
    domains: list[str]
    only: bool = False
    expected_version: int | None = None
    organization_id: strawberry.ID | None = None
    reason: str | None = None


@strawberry.input
class RemoveSignInServiceInput:
    """Support names the organization, and why."""

    expected_version: int
    organization_id: strawberry.ID | None = None
    reason: str | None = None


@strawberry.input
class VerifySignInDomainInput:
    """Whose, and how support knows it."""

    organization_id: strawberry.ID
    domain: str
    reason: str


@strawberry.input
class StartSingleSignOnInput:
    """One of the first two. `redirectUri` is one of the setting SSO_REDIRECT_URIS; without it, the first of them."""

    email: str | None = None
    organization_id: strawberry.ID | None = None
    redirect_uri: str | None = None


@strawberry.input
class FinishSingleSignOnInput:
    """`code`, `state` and, where it stands there, `iss`, as the sign-in service has put them into the address; `secret` as
    startSingleSignOn gave it."""

    code: str
    state: str
    secret: str
    iss: str | None = None


@strawberry.type
class SignInQuery:
    """How an organization's people sign in."""

    @strawberry.field
    async def sign_in_rules(
        self, info: Info, organization_id: strawberry.ID | None = None
    ) -> SignInRules | None:
        """For client admins; for support of any organization, by naming it."""
        asked = _organization(organization_id)
        return SignInRules.of(await actions.sign_in_rules(info.context.call, asked))

    @strawberry.field
    async def sign_in_service(
        self, info: Info, organization_id: strawberry.ID | None = None
    ) -> SignInService | None:
        """For client admins; for support of any organization, by naming it. Null when there is none."""
        asked = _organization(organization_id)
        known = await actions.sign_in_service(info.context.call, asked)
        return SignInService.of(known, info) if known else None


@strawberry.type
class SignInMutation:
    """How an organization's people sign in. Changes ask for a proof not older than ten minutes, as those of credentials do."""

    @mutation
    async def change_sign_in_rules(
        self, info: Info, input: ChangeSignInRulesInput
    ) -> ChangeSignInRulesResult:
        """Whether client admins need a second factor. Who has none can do nothing but add one, from this moment on."""
        changed = await actions.change_sign_in_rules(
            info.context.call,
            _organization(input.organization_id),
            input.expected_version,
            input.reason,
            second_factor_required=input.second_factor_required,
        )
        return SignInRules.of(changed)

    @mutation
    async def change_sign_in_service(
        self, info: Info, input: ChangeSignInServiceInput
    ) -> ChangeSignInServiceResult:
        """Name the organization's sign-in service, or change it."""
        wanted = actions.ServiceWanted(
            input.issuer.strip(),
            input.client_id.strip(),
            input.client_secret,
            tuple(input.domains),
            only=input.only,
            expected_version=input.expected_version,
        )
        asked = _organization(input.organization_id)
        known = await actions.change_sign_in_service(info.context.call, asked, wanted, input.reason)
        return SignInService.of(known, info)

    @mutation
    async def remove_sign_in_service(
        self, info: Info, input: RemoveSignInServiceInput
    ) -> RemoveSignInServiceResult:
        """The organization's people sign in with passwords again."""
        here = await actions.remove_sign_in_service(
            info.context.call,
            _organization(input.organization_id),
            input.expected_version,
            input.reason,
        )
        return SignInServiceRemoved(organization_id=strawberry.ID(str(here)))

    @mutation
    async def verify_sign_in_domain(
        self, info: Info, input: VerifySignInDomainInput
    ) -> VerifySignInDomainResult:
        """Support only: the domain of mail is the organization's own."""
        here = OrganizationId(parse_id(input.organization_id, "organizationId"))
        known = await actions.verify_sign_in_domain(
            info.context.call, here, input.domain, input.reason
        )
        return SignInService.of(known, info)

    @own_mutation
    async def start_single_sign_on(
        self, info: Info, input: StartSingleSignOnInput
    ) -> StartSingleSignOnResult:
        """Begin to sign in at the organization's own sign-in service."""
        departure = await actions.start_single_sign_on(
            info.context.call,
            input.email,
            _organization(input.organization_id),
            input.redirect_uri,
        )
        return SingleSignOnStarted(
            url=departure.url, secret=departure.secret, ends_at=departure.ends_at
        )

    @own_mutation
    async def finish_single_sign_on(
        self, info: Info, input: FinishSingleSignOnInput
    ) -> FinishSingleSignOnResult:
        """Open a session for who has come back from there. Works once, within ten minutes."""
        come = actions.Come(input.code, input.state, input.secret, input.iss)
        return SignedIn.of(await actions.finish_single_sign_on(info.context.call, come))


def _organization(text: strawberry.ID | None) -> OrganizationId | None:
    return OrganizationId(parse_id(text, "organizationId")) if text else None
