"""Single sign-on: leaving for an organization's sign-in service, and coming back from it."""

import hmac
import logging
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe
from urllib.parse import urlencode, urlsplit

import orjson

from kit.auth import Kind
from kit.db import Connection
from kit.errors import Invalid, NotFound, Refusal, Unavailable
from proto.identity.v1.events_pb2 import SignInLinked, UserConfirmed
from services.identity import store
from services.identity.actions.means import Call, link_hash
from services.identity.actions.openid import Return
from services.identity.actions.opening import Opening, SignedIn, open_session, with_tokens
from services.identity.actions.own import tell_of_person, write_notice
from services.identity.actions.web import AwayError
from services.identity.domain import Account, KnownMembership, OrganizationId, email
from services.identity.domain.sso import (
    TRIP_LIFE,
    Endpoints,
    NotBelievedError,
    Person,
    SignInService,
    domain_of,
    not_known_here,
    not_signed_in,
)
from services.identity.store import Trip

log = logging.getLogger(__name__)

MOST_TRIPS = 10_000
"""So many people of an organization may be on their way at once; whoever left longest ago then begins once more. Anybody can begin
a sign-in, so refusing further ones would let strangers keep everybody out."""

LONGEST_CODE = 4096


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes now. The client keeps `secret`, and brings it back with the code: another browser has none."""

    url: str
    secret: str = field(repr=False)
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Come:
    """What the client brings back: code, state and issuer as they stand in the address, and its own secret."""

    code: str = field(repr=False)
    state: str = field(repr=False)
    secret: str = field(repr=False)
    issuer: str | None = None


# Leaving --------------------------------------------------------------------------------------------------------------


async def start_single_sign_on(
    call: Call,
    address: str | None,
    organization_id: OrganizationId | None,
    redirect_uri: str | None,
) -> Departure:
    """Begin a sign-in at the sign-in service of an organization, which is named or known by the domain of an address of mail.
    NotFound SINGLE_SIGN_ON_UNKNOWN when there is none; whether the address is anybody's is not looked at."""
    # whole-suite: nobody is signed in yet
    call = replace(call, db=call.db.everywhere())
    back_to = _redirect_uri(call, redirect_uri)
    service = await _service(call, address, organization_id)
    endpoints = await _endpoints(call, service)
    state, nonce, verifier, secret = (token_urlsafe(32) for _ in range(4))
    kept = {
        "nonce": nonce,
        "verifier": verifier,
        "secret": sha256(secret.encode()).hexdigest(),
        "redirect_uri": back_to,
    }
    ends_at = call.clock.now() + TRIP_LIFE
    sealed = call.peers.vault.seal(orjson.dumps(kept))
    trip = Trip(service.organization_id, service.version, sealed, ends_at)
    async with call.db.transaction() as tx:
        if await store.trips_under_way(tx, service.organization_id) >= MOST_TRIPS:
            await store.forget_oldest_trip(tx, service.organization_id)
        await store.put_trip(tx, link_hash(state), trip)
    asked = {"state": state, "nonce": nonce, "redirect_uri": back_to}
    url = _url(endpoints, service, asked | ({"login_hint": address} if address else {}), verifier)
    return Departure(url, secret, ends_at)


def _redirect_uri(call: Call, wanted: str | None) -> str:
    allowed = call.peers.openid.redirect_uris
    if wanted is None:
        return allowed[0]
    if wanted not in allowed:
        raise Invalid(
            "Sign-in services do not send people back to this address.",
            code="BAD_REDIRECT",
            field="redirectUri",
            remedy="Use one of the setting SSO_REDIRECT_URIS, letter by letter.",
        )
    return wanted


async def _service(
    call: Call, address: str | None, organization_id: OrganizationId | None
) -> SignInService:
    if (address is None) == (organization_id is None):
        raise Invalid("Give an address of mail or an organization.", field="input")
    async with call.db.reading() as tx:
        if address is not None:
            domain = domain_of(email(address, "email").key)
            organization_id = await store.organization_of_domain(tx, domain)
        found = await store.sign_in_service(tx, organization_id) if organization_id else None
    if found is None:
        raise NotFound(
            "No organization signs in elsewhere with this.",
            code="SINGLE_SIGN_ON_UNKNOWN",
            remedy="Sign in with your password.",
        )
    return found


async def _endpoints(call: Call, service: SignInService) -> Endpoints:
    try:
        return await call.peers.openid.endpoints(service.issuer, call.clock.real())
    except (AwayError, NotBelievedError) as error:
        raise _refused(service, error) from None


def _refused(service: SignInService, error: Exception) -> Refusal:
    """What is said of a service that failed; the log has the reason, and nothing of what was sent."""
    about = {"organization": str(service.organization_id), "because": str(error)}
    if isinstance(error, AwayError):
        log.warning("a sign-in service does not answer", extra=about)
        return Unavailable(
            "Your organization's sign-in service does not answer.",
            code="SIGN_IN_SERVICE_AWAY",
            remedy="Try again in a moment.",
        )
    log.warning("a sign-in service was not believed", extra=about)
    return not_signed_in()


def _url(endpoints: Endpoints, service: SignInService, asked: dict[str, str], verifier: str) -> str:
    challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).decode().rstrip("=")
    query = {
        "response_type": "code",
        "scope": "openid email",
        "client_id": service.client_id,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | asked
    joint = "&" if urlsplit(endpoints.authorization).query else "?"
    return f"{endpoints.authorization}{joint}{urlencode(query)}"


# Coming back ----------------------------------------------------------------------------------------------------------


async def finish_single_sign_on(call: Call, come: Come) -> SignedIn:
    """Open a session for who has come back from a sign-in service. It works once, within ten minutes. Denied SINGLE_SIGN_ON_FAILED
    whatever is not to be believed, NOT_A_USER when the service knows the person and we do not, or not any more."""
    # whole-suite: nobody is signed in yet
    call = replace(call, db=call.db.everywhere())
    service, come_back = await _begun(call, come)
    now = call.clock.real()
    try:
        endpoints = await call.peers.openid.endpoints(service.issuer, now)
        _require_issuer(endpoints, come.issuer)
        person = await call.peers.openid.person(service, come_back, now)
    except (AwayError, NotBelievedError) as error:
        raise _refused(service, error) from None
    async with call.db.transaction() as tx:
        account, membership = await _admit(call, tx, service, person)
        opening = Opening(
            account,
            membership.id,
            membership.organization_id,
            second_factor=person.strong,
            proved=account.password_hash is None,
            single_sign_on=True,
        )
        session, challenge = await open_session(call, tx, opening)
    return await with_tokens(call, session, challenge)


async def _begun(call: Call, come: Come) -> tuple[SignInService, Return]:
    """What the sign-in was begun with; it is over with this, whatever comes of it."""
    async with call.db.transaction() as tx:
        trip = await store.end_trip(tx, link_hash(come.state[:LONGEST_CODE]))
        service = await store.sign_in_service(tx, trip.organization_id) if trip else None
    if trip is None or service is None or call.clock.now() >= trip.ends_at:
        raise not_signed_in()
    kept = orjson.loads(call.peers.vault.open(trip.sealed))
    secret = sha256(come.secret.encode(errors="replace")).hexdigest()
    same = hmac.compare_digest(secret, kept["secret"])
    if not same or service.version != trip.service_version:
        raise not_signed_in()
    client_secret = call.peers.vault.open(service.sealed_client_secret).decode()
    code = come.code[:LONGEST_CODE]
    return service, Return(
        code, kept["verifier"], kept["nonce"], kept["redirect_uri"], client_secret
    )


def _require_issuer(endpoints: Endpoints, named: str | None) -> None:
    """Who sent the person back must be whom the person was sent to (RFC 9207)."""
    if named is None and not endpoints.names_itself:
        return
    if named != endpoints.issuer:
        raise NotBelievedError("sent back by another issuer")


async def _admit(
    call: Call, tx: Connection, service: SignInService, person: Person
) -> tuple[Account, KnownMembership]:
    """The account of a person, and the membership it works under. The service says who it is; whether they work here, and since
    when not any more, is said here (R07)."""
    here = service.organization_id
    user_id = await store.user_of_subject(tx, person.issuer, person.subject)
    if user_id is None:
        account, membership = await _first_time(tx, here, person)
        await _link(call, tx, account, person)
    else:
        found = await store.lock_account(tx, user_id)
        if found is None:
            raise LookupError("a subject of nobody")
        account, membership = found, await _membership(tx, found, here)
    return account, membership


async def _first_time(
    tx: Connection, here: OrganizationId, person: Person
) -> tuple[Account, KnownMembership]:
    """Somebody the service has not vouched for before is known by an address that it has verified, of a domain that is the
    organization's own; and never somebody it knows by another name already."""
    address = _address(person)
    if address is None or not await store.has_verified_domain(tx, here, domain_of(address)):
        raise not_known_here()
    known = await store.account_by_email(tx, address)
    account = await store.lock_account(tx, known.id) if known else None
    if account is None or await store.has_subject(tx, person.issuer, account.id):
        raise not_known_here()
    return account, await _membership(tx, account, here)


def _address(person: Person) -> str | None:
    try:
        return email(person.email or "", "email").key
    except Invalid:
        return None


async def _membership(tx: Connection, account: Account, here: OrganizationId) -> KnownMembership:
    for membership in await store.memberships_of(tx, account.id):
        if membership.organization_id == here and not account.support:
            return membership
    raise not_known_here()


async def _link(call: Call, tx: Connection, account: Account, person: Person) -> None:
    now = call.clock.now()
    call = replace(call, viewer=replace(call.viewer, kind=Kind.USER, user_id=account.id))
    if not await store.link_subject(tx, person.issuer, person.subject, account.id, now):
        raise not_signed_in()
    if await store.confirm_without_password(tx, account.id, now):
        await store.consume_temporary_password(tx, account.id, now)
        await store.withdraw_invitations(tx, account.id)
        await tell_of_person(call, tx, account.id, UserConfirmed(user_id=str(account.id)))
    await tell_of_person(call, tx, account.id, SignInLinked(user_id=str(account.id)))
    subject = "You can sign in at your organization's sign-in service now"
    await write_notice(call, tx, account.id, subject, f"{subject}: {person.issuer}")
