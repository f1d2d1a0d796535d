"""What a file is told to be by its bytes, and how it may be called. No sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.errors import Refusal
from services.referrals.domain import Inspection, MediaType, cleaned_name, declared_type
from tests.support.files import DICOM, ELF, JPEG, PDF, PNG, PROGRAM_IN_DICOM, TEXT, TIFF

GENUINE = {
    MediaType.PDF: PDF,
    MediaType.PNG: PNG,
    MediaType.JPEG: JPEG,
    MediaType.TIFF: TIFF,
    MediaType.DICOM: DICOM,
    MediaType.TEXT: TEXT,
}
ZIP = b"PK\3\4" + bytes(200)


def inspected(declared: MediaType, contents: bytes, piece: int = 1000) -> str:
    """The code of the refusal; empty when the file is what it says."""
    inspection = Inspection(declared)
    try:
        for start in range(0, len(contents), piece):
            inspection.look(contents[start : start + piece])
        inspection.end()
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("piece", [1, 7, 131, 1000])
@pytest.mark.parametrize("said", MediaType)
@pytest.mark.parametrize("is_", GENUINE)
def test_a_file_is_taken_for_what_its_bytes_say_and_nothing_else(
    said: MediaType, is_: MediaType, piece: int
) -> None:
    refused = inspected(said, GENUINE[is_], piece)
    assert refused == ("" if said is is_ else "TYPE_MISMATCH")


@pytest.mark.parametrize(
    ("said", "contents"),
    [
        (MediaType.PNG, PNG + ZIP),
        (MediaType.PNG, PNG[:-6]),
        (MediaType.PDF, PDF + bytes(2000)),
        (MediaType.PDF, ZIP + PDF),
        (MediaType.PDF, b"%PDF-1.7\n<script>alert(1)</script>"),
        (MediaType.DICOM, PROGRAM_IN_DICOM),
        (MediaType.TEXT, PROGRAM_IN_DICOM),
        (MediaType.TEXT, ELF),
        (MediaType.TEXT, ZIP),
        (MediaType.TEXT, b"half a letter \xc3"),
        (MediaType.TEXT, b"a bell \x07"),
        (MediaType.TEXT, "UTF-16".encode("utf-16")),
        (MediaType.JPEG, b"GIF89a" + bytes(200)),
        (MediaType.JPEG, b"\xff\xd8"),
    ],
)
def test_two_files_in_one_and_what_only_looks_like_it_is_refused(
    said: MediaType, contents: bytes
) -> None:
    assert inspected(said, contents) == "TYPE_MISMATCH"


@given(st.binary(max_size=400), st.sampled_from(MediaType), st.integers(1, 50))
def test_no_bytes_confuse_the_inspection_and_no_way_of_cutting_them_changes_it(
    contents: bytes, said: MediaType, piece: int
) -> None:
    whole = inspected(said, contents)
    assert inspected(said, contents, piece) == whole
    if contents.startswith((b"MZ", b"\x7fELF", b"PK\3\4", b"<html")) and said is not MediaType.TEXT:
        assert whole == "TYPE_MISMATCH"


@pytest.mark.parametrize(
    "said", ["", "text/html", "image/svg+xml", "application/zip", "multipart/form-data", "*/*"]
)
def test_other_types_are_not_taken(said: str) -> None:
    with pytest.raises(Refusal) as refused:
        declared_type(said)
    assert refused.value.code == "TYPE_NOT_ALLOWED"


def test_parameters_and_case_of_a_declared_type_do_not_matter() -> None:
    assert declared_type("Text/PLAIN; charset=utf-8") is MediaType.TEXT


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("scan.pdf", "scan.pdf"),
        ("SCAN.PDF", "SCAN.pdf"),
        ("scan.exe", "scan.exe.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\me\\scan.pdf", "scan.pdf"),
        ("..", "attachment.pdf"),
        (".pdf", "attachment.pdf"),
        ("", "attachment.pdf"),
        (".htaccess", "htaccess.pdf"),
        ("CON", "attachment CON.pdf"),
        ("nul.pdf", "attachment nul.pdf"),
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie x=1.pdf"),
        ('a"; filename="b.html', "a filename= b.html.pdf"),
        ("gnp\u202efdp.exe", "gnpfdp.exe.pdf"),
        ("invisible\u200b.pdf", "invisible.pdf"),
        ("a\0b.pdf", "a b.pdf"),
        ("  a   b  .pdf", "a b.pdf"),
        ("Re\u0301sume\u0301 — 検査.pdf", "Résumé — 検査.pdf"),
        ("$(rm -rf ~)`id`.pdf", "(rm -rf ~) id.pdf"),
        ("x" * 500 + ".pdf", "x" * 100 + ".pdf"),
        ("\ud800.pdf", "attachment.pdf"),
    ],
)
def test_a_name_is_cleaned_so_that_it_can_be_saved_anywhere(given: str, cleaned: str) -> None:
    assert cleaned_name(given, MediaType.PDF) == cleaned


@given(st.text(), st.sampled_from(MediaType))
def test_whatever_a_name_was_it_is_short_printable_and_its_own_cleaning(
    given: str, media_type: MediaType
) -> None:
    cleaned = cleaned_name(given, media_type)
    assert cleaned.isprintable()
    assert 5 <= len(cleaned) <= 120
    assert not set(cleaned) & set('/\\<>:"|?*\r\n\0')
    assert not cleaned.startswith(".")
    assert cleaned_name(cleaned, media_type) == cleaned
