"""Identity, put together."""

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parseaddr
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from kit.config import (
    Mode,
    ServiceSettings,
    SettingsError,
    address,
    key,
    load,
    one_of,
    optional,
    setting,
    url,
)
from kit.errors import Refusal
from kit.partners import answer_partner_sign_ins
from kit.rpc import Peer
from kit.service import Job, Parts, Service
from services.identity import actions, policy
from services.identity.actions import (
    Directory,
    Hasher,
    Keyring,
    Means,
    OpenId,
    Passkeys,
    Post,
    Referrals,
    Support,
    Vault,
    Web,
)
from services.identity.consumers import hearings
from services.identity.domain import email
from services.identity.domain.passwords import accept
from services.identity.domain.sso import sound_url
from services.identity.rpc import servicers
from services.identity.schema import SCHEMA

SUITE_NAME = "Referral suite"
"""What authenticator apps and browsers call it."""


def sender(value: str) -> str:
    """An address, with or without a name before it."""
    try:
        email(parseaddr(value)[1], "MAIL_FROM")
    except Refusal:
        raise ValueError("must be an address of mail, such as Suite <suite@example.org>") from None
    return value


def support_email(value: str) -> str:
    """An address, or nothing."""
    if value:
        try:
            email(value, "SUPPORT_EMAIL")
        except Refusal:
            raise ValueError("must be an address of mail") from None
    return value


def origins(value: str) -> tuple[str, ...]:
    """Origins of web pages, with commas between; or nothing."""
    found = tuple(one.strip() for one in value.split(",") if one.strip())
    if any(one != _origin(one) for one in found):
        raise ValueError("must be origins such as https://suite.example.org, with commas between")
    return found


def pages(value: str) -> tuple[str, ...]:
    """Addresses of web pages, with commas between; or nothing."""
    found = tuple(one.strip() for one in value.split(",") if one.strip())
    if not all(sound_url(one, plain=True) for one in found):
        raise ValueError(
            "must be addresses such as https://suite.example.org/signed-in, with commas between"
        )
    return found


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def support_password(value: str) -> str:
    """A password by the rules for everybody's, or nothing. Never echoed."""
    if value:
        try:
            accept(value, context=())
        except Refusal as refusal:
            raise ValueError(f"will not do: {refusal.message}") from None
    return value


@dataclass(frozen=True, kw_only=True)
class Settings(ServiceSettings):
    """What identity is told besides."""

    identity_secret: bytes = setting(
        "IDENTITY_SECRET", key, about="secret from which refresh tokens and sealing keys derive"
    )
    directory_rpc: str = setting(
        "DIRECTORY_RPC", address, about="gRPC door of the directory service"
    )
    referrals_rpc: str = setting(
        "REFERRALS_RPC", address, about="gRPC door of the referrals service"
    )
    smtp_url: str = setting(
        "SMTP_URL",
        url("smtp", "smtps"),
        about="mail server, with user and password if it wants them",
    )
    mail_from: str = setting(
        "MAIL_FROM",
        sender,
        "Referral suite <no-reply@localhost.localdomain>",
        about="who mail is from",
    )
    public_url: str = setting(
        "PUBLIC_URL",
        url("http", "https"),
        "http://localhost:4000",
        about="where users reach the suite",
    )
    support_email: str = setting(
        "SUPPORT_EMAIL",
        support_email,
        "",
        about="support account to be there from the start; empty: none",
    )
    support_password: str = setting(
        "SUPPORT_PASSWORD",
        support_password,
        "",
        about="password of that account, if it is made now",
    )
    support_second_factor: str = setting(
        "SUPPORT_SECOND_FACTOR",
        one_of("optional", "required"),
        "optional",
        about="whether support staff must have a second factor whatever organizations want",
    )
    passkey_domain: str = setting(
        "PASSKEY_DOMAIN",
        optional,
        "",
        about="domain that passkeys belong to (WebAuthn's RP id); empty: the host of PUBLIC_URL, or localhost where that has no name",
    )
    passkey_origins: tuple[str, ...] = setting(
        "PASSKEY_ORIGINS",
        origins,
        "",
        about="web pages that may ask for passkeys, such as https://suite.example.org, with commas between; empty: PUBLIC_URL's",
    )
    sso_redirect_uris: tuple[str, ...] = setting(
        "SSO_REDIRECT_URIS",
        pages,
        "",
        about="pages that organizations' sign-in services may send people back to, with commas between; empty: PUBLIC_URL/signed-in",
    )
    partner_issuer_seed: str = setting(
        "PARTNER_ISSUER_SEED",
        optional,
        "",
        about="account seed (SA...) that signs partners in to NATS; empty: none is let in",
    )


def build(environment: Mapping[str, str] = os.environ) -> Service[Means]:
    """The service as the environment describes it."""
    settings = load(Settings, "identity", environment)
    if bool(settings.support_email) != bool(settings.support_password):
        raise SettingsError(["SUPPORT_EMAIL and SUPPORT_PASSWORD must be set together"])
    return Service(
        name="identity",
        settings=settings,
        schema=SCHEMA,
        peers=lambda connect: _means(settings, connect),
        rpc=servicers,
        callers=policy.CALLERS,
        hearings=hearings,
        jobs=JOBS,
        routes=_routes,
        background=[_partner_sign_ins(settings.partner_issuer_seed)]
        if settings.partner_issuer_seed
        else [],
    )


def _means(settings: Settings, connect: Callable[[str, str], Peer]) -> Means:
    return Means(
        vault=Vault(settings.identity_secret),
        keyring=Keyring(),
        hasher=Hasher(),
        directory=Directory(connect("directory", settings.directory_rpc)),
        referrals=Referrals(connect("referrals", settings.referrals_rpc)),
        post=Post(settings.smtp_url, settings.mail_from, settings.public_url.rstrip("/")),
        support=Support(
            settings.support_email,
            settings.support_password,
            second_factor=settings.support_second_factor == "required",
        ),
        passkeys=_passkeys(settings),
        openid=_openid(settings),
    )


def _passkeys(settings: Settings) -> Passkeys:
    """Passkeys belong to a domain. On an address without one (a machine's own, in development) they are localhost's."""
    here = urlsplit(settings.public_url)
    host, origin = here.hostname or "", _origin(settings.public_url)
    if _is_address(host):
        origin = f"{here.scheme}://localhost" + (f":{here.port}" if here.port else "")
        host = "localhost"
    return Passkeys(
        settings.passkey_domain or host, SUITE_NAME, settings.passkey_origins or (origin,)
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _openid(settings: Settings) -> OpenId:
    web = Web(plain=settings.mode is Mode.DEVELOPMENT)
    return OpenId(
        web, settings.sso_redirect_uris or (f"{settings.public_url.rstrip('/')}/signed-in",)
    )


# Jobs and doors -------------------------------------------------------------------------------------------------------


async def _post(parts: Parts[Means]) -> None:
    await actions.send_letters(parts.call())


async def _support(parts: Parts[Means]) -> None:
    await actions.ensure_support(parts.call())


async def _keys(parts: Parts[Means]) -> None:
    await actions.care_for_keys(parts.call())


async def _partners(parts: Parts[Means]) -> None:
    await actions.keep_consumers(parts.db, parts.bus)


async def _lapse(parts: Parts[Means]) -> None:
    await actions.lapse_everywhere(parts.call())
    await actions.tell_expired_invitations(parts.call())
    await actions.end_expired(parts.call())


async def _away(parts: Parts[Means]) -> None:
    await actions.deactivate_the_away(parts.call())


async def _support_away(parts: Parts[Means]) -> None:
    await actions.end_away_support(parts.call())


async def _forgotten(parts: Parts[Means]) -> None:
    await actions.answer_forgotten(parts.call())


async def _notices(parts: Parts[Means]) -> None:
    await actions.mail_notices(parts.call())


async def _tidy(parts: Parts[Means]) -> None:
    await actions.tidy(parts.call())
    await actions.forget_notices(parts.call())


JOBS: Sequence[Job[Means]] = (
    Job("identity support account", timedelta(minutes=1), _support),
    Job("identity forgotten passwords", timedelta(seconds=1), _forgotten),
    Job("identity lapsing", timedelta(minutes=1), _lapse),
    Job("identity away", timedelta(hours=1), _away),
    Job("identity support away", timedelta(hours=1), _support_away),
    Job("identity notices", timedelta(seconds=10), _notices),
    Job("identity post", timedelta(seconds=1), _post),
    Job("identity partner consumers", timedelta(seconds=5), _partners),
    Job("identity signing keys", timedelta(hours=1), _keys),
    Job("identity tidying", timedelta(minutes=10), _tidy),
)


def _partner_sign_ins(seed: str) -> Callable[[Parts[Means]], Coroutine[Any, Any, None]]:
    async def answer(parts: Parts[Means]) -> None:
        await answer_partner_sign_ins(
            parts.bus.client, seed, lambda public_key: actions.find_partner(parts.db, public_key)
        )

    return answer


def _routes(parts: Callable[[], Parts[Means]]) -> Sequence[Route]:
    async def jwks(_: Request) -> Response:
        body = await actions.jwks(parts().call())
        headers = {"cache-control": "public, max-age=300"}
        return Response(body, media_type="application/jwk-set+json", headers=headers)

    return [Route("/.well-known/jwks.json", jwks)]
