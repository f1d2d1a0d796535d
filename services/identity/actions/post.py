"""The post: letters leave by SMTP, and are tried again until the receiving server has said yes or never."""

import logging
from datetime import timedelta
from email import message_from_bytes
from email.policy import SMTPUTF8
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPHeloError,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from services.identity import store
from services.identity.actions.bounces import invitation_bounced
from services.identity.actions.means import Call, Post
from services.identity.domain import LetterKind
from services.identity.store import DueLetter

log = logging.getLogger(__name__)

TIMEOUT = 10.0
PERMANENT = 500
SLOWEST = timedelta(minutes=30)
AWAY = (OSError, SMTPConnectError, SMTPServerDisconnected, SMTPTimeoutError)
"""How a server that does not answer is met."""

UNWANTED = (SMTPAuthenticationError, SMTPHeloError, SMTPSenderRefused)
"""How a server is met that does not want us: an operator's matter, which says nothing about any letter."""

MOST_ATTEMPTS = 150
"""About three days' worth; then it counts as refused for good."""


async def send_letters(call: Call) -> int:
    """Send every letter that is due; answers how many left. A letter can leave twice when this process dies in between.

    A server that is away, or does not want us, is not asked for one letter after another: the rest waits for the next round.
    """
    sent = 0
    while True:
        async with call.db.transaction() as tx:
            letter = await store.claim_letter(tx, call.clock.now())
        if letter is None:
            return sent
        try:
            await _deliver(call.peers.post, letter.email, call.peers.vault.open(letter.sealed))
        except (aiosmtplib.SMTPException, OSError) as error:
            await _failed(call, letter, error)
            if isinstance(error, AWAY + UNWANTED):
                return sent
            continue
        async with call.db.transaction() as tx:
            await store.letter_sent(tx, letter.id, call.clock.now())
        sent += 1


async def _failed(call: Call, letter: DueLetter, error: Exception) -> None:
    """Refused for good is a bounce; anything else is tried again, later each time."""
    log.warning("a letter could not be sent", extra={"because": type(error).__name__})
    wait = min(SLOWEST, timedelta(seconds=5 * 2 ** min(letter.attempts, 10)))
    async with call.db.transaction() as tx:
        if _for_good(error) or letter.attempts >= MOST_ATTEMPTS:
            await store.letter_bounced(tx, letter.id)
            if letter.kind in {LetterKind.INVITATION, LetterKind.PASSWORD_RESET}:
                await invitation_bounced(call, tx, letter.user_id, call.viewer)
        else:
            await store.postpone_letter(tx, letter.id, call.clock.now() + wait)


def _for_good(error: Exception) -> bool:
    """Whether the server will never take this letter, or knows nobody of that address."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(one.code >= PERMANENT for one in error.recipients)
    return isinstance(error, SMTPRecipientRefused | SMTPDataError) and error.code >= PERMANENT


async def _deliver(post: Post, address: str, message: bytes) -> None:
    server = urlsplit(post.smtp_url)
    await aiosmtplib.send(
        message_from_bytes(message, policy=SMTPUTF8),
        sender=parseaddr(post.sender)[1],
        recipients=[address],
        hostname=server.hostname,
        port=server.port,
        username=unquote(server.username) if server.username else None,
        password=unquote(server.password) if server.password else None,
        use_tls=server.scheme == "smtps",
        timeout=TIMEOUT,
    )
