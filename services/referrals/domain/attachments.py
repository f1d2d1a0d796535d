"""Files that go with a referral: what may be attached by whom, how a file is told by its first bytes, and how it may be called."""

import codecs
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from kit.errors import Conflict, Denied, Invalid
from services.referrals.domain.machine import RECEIVER_OPEN, SENDER_OPEN
from services.referrals.domain.nouns import (
    OrganizationId,
    Outcome,
    Referral,
    ReferralId,
    Side,
    Status,
    UserId,
)
from services.referrals.domain.patients import Sealed

AttachmentId = NewType("AttachmentId", UUID)


class AttachmentAction(StrEnum):
    """What a viewer may do to an attachment."""

    WITHDRAW = "WITHDRAW"


class MediaType(StrEnum):
    """What may be attached."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    TIFF = "image/tiff"
    DICOM = "application/dicom"
    TEXT = "text/plain"


@dataclass(frozen=True, slots=True)
class AttachmentLimits:
    """How large an attachment may be, and how many a referral may have."""

    max_bytes: int
    max_count: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """Who attached it on which side, while which receiver had the referral. Its name and its bytes are sealed; `kept_at` is None
    while it is still arriving, and then nobody sees it."""

    id: AttachmentId
    referral_id: ReferralId
    hop: int
    side: Side
    media_type: MediaType
    bytes: int
    pieces: int
    by_user_id: UserId
    by_organization_id: OrganizationId
    begun_at: datetime
    kept_at: datetime | None


@dataclass(frozen=True, slots=True)
class SealedAttachment(Attachment):
    """An attachment with its name, closed."""

    organization_id: OrganizationId
    key_number: int
    box: bytes

    @property
    def sealed(self) -> Sealed:
        """The name, closed."""
        return Sealed(self.organization_id, self.key_number, self.box)


def url_of(attachment_id: AttachmentId) -> str:
    """Where a file is had, as a path of the gateway."""
    return f"/files/referrals/attachments/{attachment_id}"


# Who may, when --------------------------------------------------------------------------------------------------------


def may_attach(referral: Referral, side: Side) -> bool:
    """Whether somebody on that side may attach now: while it is open work of the side, and the receiver also what came of the
    visit."""
    if side is Side.SENDING:
        return referral.status in SENDER_OPEN
    seen = referral.status is Status.COMPLETED and referral.outcome is not Outcome.DECLINED
    return seen or referral.status in RECEIVER_OPEN


def attaching_side(referral: Referral, sides: Collection[Side], wanted: Side | None) -> Side:
    """The side somebody attaches for: the one they work on, or, when they work on both, the one they say."""
    if wanted is None and len(sides) > 1:
        raise Invalid(
            "You work on both sides: say for which you attach.", code="SIDE_REQUIRED", field="side"
        )
    if not sides or (wanted is not None and wanted not in sides):
        raise Denied("You do not work on that side.", code="WRONG_SIDE", field="side")
    side = wanted or next(iter(sides))
    if not may_attach(referral, side):
        raise Conflict(
            f"Nothing is attached any more by the {side.value.lower()} side of a referral that is {referral.status.value}.",
            code="WRONG_STATUS",
            remedy="Write a message, or send a new referral.",
        )
    return side


def may_withdraw(attachment: Attachment, referral: Referral) -> bool:
    """Whether it may be taken back: until the referral is sent, because from then on others have decided by it."""
    return referral.sent_at is None and attachment.kept_at is not None


def require_withdrawable(attachment: Attachment, referral: Referral) -> None:
    """Refuse to take back what others have decided by."""
    if not may_withdraw(attachment, referral):
        raise Conflict(
            "What went with a sent referral is part of its record.",
            code="ALREADY_SENT",
            remedy="Say in a message what is wrong with it.",
        )


# What it is -----------------------------------------------------------------------------------------------------------

HEAD_BYTES: Final = 132
"""So many first bytes tell what a file is."""

_TIFF: Final = (b"II*\0", b"MM\0*")
_SIGNATURES: Final = (
    (MediaType.PDF, (b"%PDF-",)),
    (MediaType.PNG, (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",)),
    (MediaType.JPEG, (b"\xff\xd8\xff",)),
    (MediaType.TIFF, _TIFF),
)
_DICOM_AT: Final = 128
_DICOM: Final = b"DICM"


def media_type_of(head: bytes) -> MediaType | None:
    """What a file is by its first bytes; None when it is none of those that may be attached, text aside.

    DICOM leaves its first 128 bytes to others, which is how programs have travelled in it: they must be empty, or say TIFF.
    """
    if head[_DICOM_AT:HEAD_BYTES] == _DICOM:
        preamble = head[:_DICOM_AT]
        harmless = not preamble.strip(b"\0") or preamble.startswith(_TIFF)
        return MediaType.DICOM if harmless else None
    for found, signatures in _SIGNATURES:
        if head.startswith(signatures):
            return found
    return None


def declared_type(content_type: str) -> MediaType:
    """What a file is said to be; Invalid when that may not be attached."""
    name = content_type.partition(";")[0].strip().lower()
    if name not in set(MediaType):
        raise Invalid(
            "Files of this type are not taken.",
            code="TYPE_NOT_ALLOWED",
            field="contentType",
            remedy=f"Send one of {', '.join(MediaType)}.",
        )
    return MediaType(name)


class Inspection:
    """Looks at a file while it passes by: that it is what it was said to be, and has ended as such a file ends."""

    def __init__(self, declared: MediaType) -> None:
        self._declared = declared
        self._head, self._tail = b"", b""
        self._text = codecs.getincrementaldecoder("utf-8")()

    def look(self, piece: bytes) -> None:
        """Look at the next bytes; Invalid as soon as they give the lie to the declaration."""
        if self._declared is MediaType.TEXT:
            self._require_text(piece, final=False)
        if len(self._head) < HEAD_BYTES:
            self._head += piece[: HEAD_BYTES - len(self._head)]
            if len(self._head) >= HEAD_BYTES:
                self._require_kind()
        self._tail = (self._tail + piece)[-_TAIL_BYTES:]

    def end(self) -> None:
        """There is no more; Invalid when something must still have come, or has come behind the end."""
        self._require_kind()
        if self._declared is MediaType.TEXT:
            self._require_text(b"", final=True)
        ending = _ENDINGS.get(self._declared)
        if ending is not None and not ending.search(self._tail):
            raise _not_what_it_says(self._declared)

    def _require_kind(self) -> None:
        found = media_type_of(self._head)
        wanted = None if self._declared is MediaType.TEXT else self._declared
        if found is not wanted:
            raise _not_what_it_says(self._declared)

    def _require_text(self, piece: bytes, *, final: bool) -> None:
        try:
            text = self._text.decode(piece, final)
        except UnicodeDecodeError:
            raise _not_what_it_says(MediaType.TEXT) from None
        if _NOT_TEXT.search(text):
            raise _not_what_it_says(MediaType.TEXT)


_TAIL_BYTES: Final = 1024
_ENDINGS: Final = {
    MediaType.PNG: re.compile(rb"\0\0\0\0IEND\xaeB`\x82\Z"),
    MediaType.PDF: re.compile(rb"%%EOF"),
}
"""How such a file ends: behind its own end there could be another file. Writers of PDF put some bytes there, so there it must only be
near; cameras put whole films behind a JPEG."""

_NOT_TEXT: Final = re.compile("[\0-\x08\x0e-\x1f\x7f]")


def _not_what_it_says(declared: MediaType) -> Invalid:
    return Invalid(
        f"The file is not what it says: {declared.value}.",
        code="TYPE_MISMATCH",
        field="contentType",
        remedy="Send the file unchanged, with its own type.",
    )


# What it is called ----------------------------------------------------------------------------------------------------

LONGEST_NAME: Final = 100
_UNNAMED: Final = "attachment"
_ENDS: Final = {
    MediaType.PDF: (".pdf",),
    MediaType.PNG: (".png",),
    MediaType.JPEG: (".jpg", ".jpeg"),
    MediaType.TIFF: (".tif", ".tiff"),
    MediaType.DICOM: (".dcm",),
    MediaType.TEXT: (".txt",),
}
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def cleaned_name(given: str, media_type: MediaType) -> str:
    """A name under which the file can be saved anywhere: the last part of a path, no character that cannot be seen or that means
    something to a shell or a file system, and an ending that says what the file is."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", given))[-1]
    seen = "".join(_shown(one) for one in last)
    stem = " ".join(seen.split())
    ends = _ENDS[media_type]
    ending = next((end for end in ends if stem.lower().endswith(end)), "")
    stem = (stem[: len(stem) - len(ending)] if ending else stem)[:LONGEST_NAME].strip(". ")
    if not stem or _RESERVED.fullmatch(stem):
        stem = f"{_UNNAMED} {stem}".strip()
    return stem + ends[0]


def _shown(one: str) -> str:
    """The character; nothing for those that only steer others (they can turn a name round), a space for what may not be in it."""
    category = unicodedata.category(one)
    if category == "Cf":
        return ""
    return " " if category[0] in "CZ" or one in '<>:"|?*%$`;&' else one
