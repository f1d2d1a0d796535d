"""An organization with a sign-in service, for tests of single sign-on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from kit.auth import Viewer
from services.identity import store
from services.identity.domain import UserId
from tests.service.identity.asking import PROBLEM, role
from tests.service.identity.conftest import PASSWORD, Identity, Organization
from tests.service.identity.proving import CHALLENGE
from tests.support.sign_in_service import CLIENT, SECRET, SignInService

SERVICE = "issuer clientId only version redirectUris domains { domain verifiedAt }"
CHANGE = f"""mutation($input: ChangeSignInServiceInput!) {{ changeSignInService(input: $input) {{
    __typename {PROBLEM} ... on SignInService {{ {SERVICE} }} }} }}"""
REMOVE = f"""mutation($input: RemoveSignInServiceInput!) {{ removeSignInService(input: $input) {{
    __typename {PROBLEM} ... on SignInServiceRemoved {{ organizationId }} }} }}"""
VERIFY = f"""mutation($input: VerifySignInDomainInput!) {{ verifySignInDomain(input: $input) {{
    __typename {PROBLEM} ... on SignInService {{ {SERVICE} }} }} }}"""
START = f"""mutation($input: StartSingleSignOnInput!) {{ startSingleSignOn(input: $input) {{
    __typename {PROBLEM} ... on SingleSignOnStarted {{ url secret endsAt }} }} }}"""
FINISH = f"""mutation($input: FinishSingleSignOnInput!) {{ finishSingleSignOn(input: $input) {{
    __typename {PROBLEM} ... on SignedIn {{ accessToken refreshToken stage userId organizationId {CHALLENGE} }} }} }}"""
LOOK = f"query($here: ID) {{ signInService(organizationId: $here) {{ {SERVICE} }} }}"


@dataclass
class Office:
    """An organization with a sign-in service, and one of its staff, who was invited and has never been here."""

    identity: Identity
    here: Organization
    service: SignInService
    domain: str
    email: str
    user_id: str

    def wanted(self, **more: object) -> dict[str, Any]:
        """The service as it is configured."""
        return {
            "issuer": self.service.issuer,
            "clientId": CLIENT,
            "clientSecret": SECRET,
            "domains": [self.domain],
        } | more

    async def start(self, **more: object) -> dict[str, Any]:
        """What leaving answers."""
        said = {"organizationId": str(self.here.id)} | more
        return await self.identity.mutate(START, said)

    async def finish(
        self, started: dict[str, Any], back: dict[str, str], **more: object
    ) -> dict[str, Any]:
        """What coming back answers."""
        said = back | {"secret": started["secret"]} | more
        return await self.identity.mutate(FINISH, said)

    async def sign_in(self) -> dict[str, Any]:
        """There and back."""
        started = await self.start()
        assert started["__typename"] == "SingleSignOnStarted", started
        return await self.finish(started, self.service.visit(started["url"]))


async def office_with(identity: Identity, here: Organization, service: SignInService) -> Office:
    """The service is configured by the client admin, its domain verified by support, and somebody invited."""
    domain = f"care-{uuid4().hex[:8]}.example"
    service.email = f"sam@{domain}"
    office = Office(identity, here, service, domain, service.email, "")
    changed = await identity.mutate(CHANGE, office.wanted(), here.admin)
    assert changed["__typename"] == "SignInService", changed
    verified = await identity.mutate(VERIFY, about_domain(here, domain), identity.support)
    assert verified["__typename"] == "SignInService", verified
    invited = await identity.invite(here.admin, office.email, role("OFFICE_STAFF", here.office))
    office.user_id = invited["user"]["id"]
    return office


async def give_password(identity: Identity, user_id: str) -> None:
    """A password of the user's own, as one from before the organization had a sign-in service."""
    parts = identity.running.parts
    hashed = await parts.peers.hasher.hash(PASSWORD)
    async with parts.db.transaction() as tx:
        await store.set_password(tx, UserId(UUID(user_id)), hashed, parts.clock.now())


def about_domain(here: Organization, domain: str) -> dict[str, str]:
    """What support says about a domain."""
    why = "Their DNS entry names our record"
    return {"organizationId": str(here.id), "domain": domain, "reason": why}


async def viewer_of(identity: Identity, signed_in: dict[str, Any]) -> Viewer:
    """The viewer of a session."""
    assert signed_in["__typename"] == "SignedIn", signed_in
    return await identity.viewer(signed_in["accessToken"])
