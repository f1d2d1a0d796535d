"""Who may do what on NATS: one user per process of ours, each with its own allow-list, rendered into deploy/nats.conf."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import nkeys  # type: ignore[import-untyped]

from cli.servers.secrets import kept_secret, write_private

TEMPLATE = Path(__file__).parents[2] / "deploy/nats.conf"
SERVICES = ("identity", "directory", "insurance", "referrals", "reporting")
OPERATOR = "operator"
"""The user of operators' tools and of tests: everything in APP, nothing in PARTNERS."""

AUDITOR = "auditor"
"""The user of `./suite audit verify`: it reads the checkpoints of the audit trails, and nothing else."""

USERS = (*SERVICES, "gateway", OPERATOR, AUDITOR)
STREAM = "EVENTS"
AUDIT = "AUDIT"
FEED = "FEED"
"""What partners read: a mirror of the stream, out of which facts can be taken (docs/decisions/0009-partner-feed.md)."""

SIGN_IN = "$SYS.REQ.USER.AUTH"
_READING_AUDIT = [
    f"$JS.API.STREAM.INFO.{AUDIT}",
    f"$JS.API.CONSUMER.CREATE.{AUDIT}",
    f"$JS.API.CONSUMER.CREATE.{AUDIT}.>",
    f"$JS.API.CONSUMER.INFO.{AUDIT}.*",
    f"$JS.API.CONSUMER.MSG.NEXT.{AUDIT}.*",
]


_KEEPING_FEED = [
    *(
        f"$JS.API.STREAM.{verb}.{FEED}"
        for verb in ("INFO", "CREATE", "UPDATE", "DELETE", "MSG.DELETE")
    ),
    f"$JS.API.CONSUMER.CREATE.{FEED}.withdrawals.>",
    f"$JS.API.CONSUMER.DELETE.{FEED}.withdrawals",
    f"$JS.API.CONSUMER.MSG.NEXT.{FEED}.withdrawals",
]
"""Of referrals: it makes the feed, and takes out of it what an organization has lost."""

_KEEPING_PARTNERS = [
    f"$JS.API.STREAM.INFO.{FEED}",
    f"$JS.API.CONSUMER.NAMES.{FEED}",
    *(f"$JS.API.CONSUMER.{verb}.{FEED}.*" for verb in ("DURABLE.CREATE", "INFO", "DELETE")),
]
"""Of identity: it makes partners' consumers."""

_MORE = {"referrals": _KEEPING_FEED, "identity": _KEEPING_PARTNERS}


class Allowed(TypedDict):
    """The subjects a user may publish and subscribe to; `answers` lets it reply to what it was asked."""

    publish: list[str]
    subscribe: list[str]
    answers: bool


@dataclass(frozen=True)
class Credentials:
    """Where the passwords of NATS users and the seed that signs partners in are kept (mode 0600)."""

    folder: Path

    def password(self, user: str) -> str:
        """The password of one of USERS. It starts with a letter: NATS would read digits as a number."""
        return "p" + kept_secret(self.folder / f"nats-{user}.password", 16)

    def issuer_seed(self) -> str:
        """The account seed that identity signs partners' sign-ins with."""
        path = self.folder / "nats-issuer.seed"
        if not path.exists():
            raw = bytes.fromhex(kept_secret(self.folder / "nats-issuer.key"))
            write_private(path, nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_ACCOUNT).decode())
        return path.read_text(encoding="ascii")

    def nonce_key(self) -> str:
        """The public key of a user that nobody is: it makes the server send nonces."""
        raw = bytes.fromhex(kept_secret(self.folder / "nats-nonce.key"))
        seed = nkeys.encode_seed(raw, nkeys.PREFIX_BYTE_USER)
        return str(nkeys.from_seed(seed).public_key.decode())

    def issuer(self) -> str:
        """The public key of that seed, which the server trusts."""
        return str(nkeys.from_seed(self.issuer_seed().encode()).public_key.decode())


def allowed(user: str) -> Allowed:
    """What a user of ours may do."""
    if user == OPERATOR:
        return Allowed(publish=[">"], subscribe=[">"], answers=True)
    if user == AUDITOR:
        return Allowed(publish=_READING_AUDIT, subscribe=["_INBOX.>"], answers=False)
    if user == "gateway":
        return Allowed(publish=[], subscribe=["events.>"], answers=False)
    publish = [
        f"events.*.{user}.>",
        f"audit.{user}",
        *(f"$JS.API.STREAM.MSG.GET.{name}" for name in (STREAM, AUDIT)),
        *(
            f"$JS.API.STREAM.{verb}.{name}"
            for verb in ("INFO", "CREATE")
            for name in (STREAM, AUDIT)
        ),
        *(
            f"$JS.API.CONSUMER.{verb}.{STREAM}.{user}"
            for verb in ("CREATE", "DURABLE.CREATE", "INFO", "DELETE")
        ),
        f"$JS.API.CONSUMER.CREATE.{STREAM}.{user}.>",
        f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{user}",
        f"$JS.ACK.{STREAM}.{user}.>",
        *_MORE.get(user, []),
    ]
    subscribe = ["_INBOX.>"]
    if user == "identity":
        subscribe.append(SIGN_IN)
    return Allowed(publish=publish, subscribe=subscribe, answers=user == "identity")


def render(
    credentials: Credentials,
    *,
    listen: str,
    store: str,
    monitor: str = "127.0.0.1:-1",
    max_file_store: str = "20GB",
) -> str:
    """The server's configuration, with its secrets."""
    words = {
        "listen": listen,
        "monitor": monitor,
        "store": store,
        "max_file_store": max_file_store,
        "issuer": credentials.issuer(),
        "nonce_key": credentials.nonce_key(),
        "known_users": ", ".join(USERS),
        "users": "\n".join(_user(user, credentials) for user in USERS),
    }
    return re.sub(
        r"@(\w+)@", lambda found: words.get(found[1], found[0]), TEMPLATE.read_text("utf-8")
    )


def _user(user: str, credentials: Credentials) -> str:
    may = allowed(user)
    permissions = {
        "publish": {"allow": may["publish"]} if may["publish"] else {"deny": [">"]},
        "subscribe": {"allow": may["subscribe"]},
        **({"allow_responses": True} if may["answers"] else {}),
    }
    secret = credentials.password(user)
    return f'      {{ user: {user}, password: "{secret}", permissions: {json.dumps(permissions)} }}'
