"""What people type: addresses of mail, names, reasons, time zones."""

import re
import unicodedata
from dataclasses import dataclass
from zoneinfo import available_timezones

from kit.errors import Invalid

LONGEST_EMAIL = 254
LONGEST_LOCAL_PART = 64
LONGEST_NAME = 200
LONGEST_REASON = 500

_ROUNDS = 2
"""Folding case can undo normalizing, once; after two rounds nothing moves any more (Unicode's NFKC_Casefold)."""

_ENCODED_WORD = "=?"
"""How a header of mail begins what it wants decoded. No mailbox is called so."""

_ENCODED = "xn--"
_FULL_STOP = "\N{IDEOGRAPHIC FULL STOP}"
"""What separates labels where people write without a period."""

_ZONES = frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}
"""Without those that are another zone on another machine, or none: a database does not know them."""

_LABEL = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\]+")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that no name needs: control and format characters, surrogates, line separators, unassigned."""


@dataclass(frozen=True, slots=True)
class Email:
    """An address as it is written to, and the key under which all its spellings meet."""

    address: str
    key: str


def email(text: str, field: str) -> Email:
    """The address in `text`; Invalid when it cannot be one. Case and Unicode variants share a key, and so do the two ways to write an
    international domain; plus-tags are different addresses."""
    local, at, domain = unicodedata.normalize("NFKC", text).strip().rpartition("@")
    domain = domain.replace(_FULL_STOP, ".")
    address = f"{local}{at}{domain}"
    labels = domain.split(".")
    sound = (
        at
        and len(address) <= LONGEST_EMAIL
        and len(local) <= LONGEST_LOCAL_PART
        and not _unseen(address)
        and _LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and _ENCODED_WORD not in local
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
    )
    if not sound:
        raise Invalid(
            "This is not an e-mail address.",
            code="BAD_EMAIL",
            field=field,
            remedy="Write it like name@example.org.",
        )
    return Email(address, email_key(address))


def email_key(text: str) -> str:
    """What all spellings of one address have in common; any text has one."""
    local, at, domain = _folded(text).strip().rpartition("@")
    labels = map(_spelled_out, domain.replace(_FULL_STOP, ".").split("."))
    return f"{local}{at}{'.'.join(labels)}".strip()


def _folded(text: str) -> str:
    folded = unicodedata.normalize("NFD", text)
    for _ in range(_ROUNDS):
        folded = unicodedata.normalize("NFKC", folded.casefold())
    return folded


def _spelled_out(label: str) -> str:
    """A label of a domain as people read it: xn--bcher-kva is bücher. What only looks like such a label stays as it is."""
    if not label.startswith(_ENCODED):
        return label
    try:
        spelled = label.removeprefix(_ENCODED).encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
    folded = _folded(spelled)
    sound = not spelled.isascii() and _LABEL.fullmatch(folded) and not folded.startswith(_ENCODED)
    return folded if sound else label


def line(text: str, field: str, longest: int = LONGEST_NAME) -> str:
    """One line of visible text, trimmed; Invalid when it is empty, too long, or holds a control character: a line break in a
    name would forge a header of mail."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= longest or _unseen(name):
        raise Invalid(
            f"This must be one line of 1 to {longest} visible characters.",
            code="BAD_TEXT",
            field=field,
            remedy="Leave out line breaks and control characters.",
        )
    return name


def reason(text: str, field: str = "reason") -> str:
    """Why somebody does something, for the record; Invalid REASON_REQUIRED when there is none."""
    if not text.strip():
        raise Invalid(
            "This needs a reason.",
            code="REASON_REQUIRED",
            field=field,
            remedy="Say in a few words why.",
        )
    return line(text, field, LONGEST_REASON)


def time_zone(text: str, field: str = "timeZone") -> str:
    """The name of a time zone, such as America/New_York; Invalid when there is none of that name."""
    if text not in _ZONES:
        raise Invalid(
            "There is no time zone of this name.",
            code="UNKNOWN_TIME_ZONE",
            field=field,
            remedy="Use a name of the IANA list, such as America/New_York.",
        )
    return text


def _unseen(text: str) -> bool:
    return any(unicodedata.category(letter) in _UNSEEN for letter in text)
