"""The mail identity writes, as whole messages: plain text and HTML of the same words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTPUTF8
from email.utils import format_datetime
from html import escape

from services.identity.domain.nouns import LetterId


@dataclass(frozen=True, slots=True)
class Envelope:
    """Who writes to whom, and when."""

    letter_id: LetterId
    sender: str
    to_name: str
    to_address: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Words:
    """What a letter says. `link` stands alone after the paragraphs, `after` follows it."""

    subject: str
    paragraphs: Sequence[str]
    link: str = ""
    after: Sequence[str] = ()


def invitation(organization: str, link: str, password: str, until: datetime) -> Words:
    """Asks a new user to confirm the account, by the link or with the temporary password (R03)."""
    return Words(
        f"Confirm your account at {organization}",
        (
            f"{organization} has made an account for you.",
            "Confirm it and choose a password of your own here:",
        ),
        link,
        (f"Or sign in with this temporary password: {password}", _ending(until)),
    )


def reset(link: str, password: str, until: datetime) -> Words:
    """Carries the temporary password that support made anew (R05)."""
    return Words(
        "Your new temporary password",
        (
            "Support has made a new temporary password for you. The one before does not work any more.",
            "Confirm your account and choose a password of your own here:",
        ),
        link,
        (f"Or sign in with this temporary password: {password}", _ending(until)),
    )


def membership(organization: str, link: str) -> Words:
    """Tells a user that another organization has added the account that exists already."""
    return Words(
        f"You can now work for {organization}",
        (
            f"{organization} has added you. Your password stays the same;",
            "choose the organization when you sign in:",
        ),
        link,
    )


def away(organization: str, link: str, ends: datetime) -> Words:
    """Tells somebody who has not signed in for long that the account is about to end (R07)."""
    return Words(
        f"Your account at {organization} is about to end",
        (
            f"You have not signed in for a long time. Your account at {organization} ends on {ends:%d %B %Y}.",
            "To keep it, sign in before then:",
        ),
        link,
    )


def forgotten(link: str, until: datetime) -> Words:
    """Lets somebody who forgot the password set another."""
    return Words(
        "Set a new password",
        ("Somebody, probably you, said that your password is forgotten.", "Set a new one here:"),
        link,
        (
            f"The link works once, until {until:%d %B %Y, %H:%M} UTC.",
            "If it was not you, you need not do anything: your password is as it was.",
        ),
    )


def password_changed(at: datetime) -> Words:
    """Tells somebody that the password is another now."""
    return Words(
        "Your password was changed",
        (
            f"Your password was changed on {at:%d %B %Y, %H:%M} UTC, and every session has ended.",
            "If it was not you, ask support at once.",
        ),
    )


def notice(subject: str, *paragraphs: str) -> Words:
    """Tells client admins of something they should know."""
    return Words(subject, paragraphs)


def compose(envelope: Envelope, words: Words) -> bytes:
    """The whole message, ready to be sent."""
    message = EmailMessage(policy=SMTPUTF8)
    message["From"] = envelope.sender
    message["To"] = f'"{_quoted(_inert(envelope.to_name))}" <{envelope.to_address}>'
    message["Subject"] = _inert(words.subject)
    message["Date"] = format_datetime(envelope.at)
    message["Message-ID"] = f"<{envelope.letter_id}@{_host(envelope.sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_plain(words))
    message.add_alternative(_html(words), subtype="html")
    return message.as_bytes()


def _ending(until: datetime) -> str:
    return f"Both work until {until:%d %B %Y, %H:%M} UTC. After that, ask support for new ones."


def _plain(words: Words) -> str:
    parts = [*words.paragraphs, *([words.link] if words.link else []), *words.after]
    return "\n\n".join(parts) + "\n"


def _html(words: Words) -> str:
    def paragraph(text: str) -> str:
        return f"<p>{escape(text)}</p>"

    link = f'<p><a href="{escape(words.link)}">{escape(words.link)}</a></p>' if words.link else ""
    before = "".join(map(paragraph, words.paragraphs))
    return f"<html><body>{before}{link}{''.join(map(paragraph, words.after))}</body></html>\n"


def _inert(text: str) -> str:
    """What people have typed, for a header. An encoded word (=?utf-8?q?...?=) in it would be decoded, line breaks and all."""
    return text.replace("=?", "= ?")


def _quoted(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _host(sender: str) -> str:
    return sender.rpartition("@")[2].rstrip("> ") or "localhost"
