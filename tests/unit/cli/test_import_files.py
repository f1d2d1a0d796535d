"""Files to import: packed or not, damaged or not; and what is written about their rows."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.imports import files, register
from cli.imports.report import ErrorFile, Remark, safe
from cli.trouble import Trouble

CSV = re.compile(r"\.csv$")


def packed(path: Path, **contents: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in contents.items():
            bundle.writestr(name.replace("__", "."), content)
    return path


def content(path: Path, wanted: re.Pattern[str] = CSV) -> bytes:
    with files.opened(path, wanted) as source:
        return b"".join(source.content)


def test_a_file_is_read_as_it_is_and_out_of_a_zip_alike(tmp_path: Path) -> None:
    plain = tmp_path / "rows.csv"
    plain.write_bytes(b"a,b\n1,2\n")

    assert content(plain) == content(packed(tmp_path / "rows.zip", rows__csv=b"a,b\n1,2\n"))


def test_of_the_register_s_bundle_the_rows_are_read_and_not_the_header_file(tmp_path: Path) -> None:
    names = {
        "npidata_pfile_20251103-20251109__csv": b"rows",
        "npidata_pfile_20251103-20251109_fileheader__csv": b"header",
        "pl_pfile_20251103-20251109__csv": b"places",
        "readme__pdf": b"words",
    }

    assert content(packed(tmp_path / "bundle.zip", **names), register.FILES) == b"rows"


def test_how_far_a_packed_file_has_been_read_is_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    rows = b"".join(b"%d,%d\n" % (number, number * 7919 % 10007) for number in range(200_000))
    with files.opened(packed(tmp_path / "rows.zip", rows__csv=rows), CSV) as source:
        before = source.at()
        for _ in range(100_000):
            source.content.readline()
        middle = source.at()
        source.content.read()

        assert before < middle < source.at() <= source.size


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n\n", "is empty"),
        (b"\x1f\x8b\x08\x00rest", "packed as gzip"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"PK\x03\x04rest", "cannot be unpacked"),
    ],
)
def test_a_file_of_the_wrong_kind_is_refused_with_a_way_out(
    tmp_path: Path, written: bytes, words: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(written)
    with pytest.raises(Trouble, match=words) as refused:
        content(path)

    assert str(refused.value).endswith(".")


def test_a_zip_must_hold_one_file_to_import(tmp_path: Path) -> None:
    for names in ({"a__csv": b"", "b__csv": b""}, {"a__pdf": b""}):
        with pytest.raises(Trouble, match="One file of the ZIP should be imported"):
            content(packed(tmp_path / "rows.zip", **names))


def test_a_zip_that_was_cut_off_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = packed(tmp_path / "rows.zip", rows__csv=bytes(range(256)) * 1000)
    whole = bytearray(path.read_bytes())
    whole[200:220] = b"\x00" * 20
    path.write_bytes(bytes(whole))
    with files.opened(path, CSV) as source, pytest.raises(Trouble, match="to its end"):
        list(files.lines(source.content))


@given(st.text(st.characters(exclude_characters="\r\n\0\ufeff", codec="utf-8"), max_size=50))
def test_text_is_read_with_a_byte_order_mark_or_without(text: str) -> None:
    plain = text.encode()

    assert list(files.lines(io.BytesIO(b"\xef\xbb\xbf" + plain))) == ([text] if text else [""])
    assert "".join(files.lines(io.BytesIO(plain))) == text


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading(some: bytes) -> None:
    for also in (None, "cp1252"):
        assert "\0" not in "".join(files.lines(io.BytesIO(some), also=also))


def test_the_digest_is_of_the_whole_file(tmp_path: Path) -> None:
    path, heard = tmp_path / "file", list[int]()
    path.write_bytes(b"x" * 2_500_000)
    first = files.digest(path, heard.append)
    path.write_bytes(b"x" * 2_499_999 + b"y")

    assert heard == [1_000_000, 2_000_000, 2_500_000]
    assert re.fullmatch("[0-9a-f]{64}", first)
    assert files.digest(path, heard.append) != first


# What is written about rows -------------------------------------------------------------------------------------------


def written(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))


def test_rows_that_were_not_imported_are_written_with_their_reason(tmp_path: Path) -> None:
    report = ErrorFile(tmp_path / "errors.csv")
    report.begin(0)
    report.add(Remark(7, "1234567890", "NPI_INVALID", 'It is "wrong".', "NPI"))
    report.keep()
    report.close()

    assert written(report.path) == [
        ["row", "key", "field", "code", "reason"],
        ["7", "1234567890", "NPI", "NPI_INVALID", 'It is "wrong".'],
    ]


def test_without_any_there_is_no_file_and_an_old_one_goes(tmp_path: Path) -> None:
    report = ErrorFile(tmp_path / "errors.csv")
    report.path.write_text("of another time")
    report.begin(0)

    assert report.keep() == 0
    assert not report.path.exists()


def test_what_was_written_after_the_last_kept_row_is_written_again_and_not_twice(
    tmp_path: Path,
) -> None:
    report = ErrorFile(tmp_path / "errors.csv")
    report.begin(0)
    report.add(Remark(1, "a", "X", "first"))
    kept = report.keep()
    report.add(Remark(2, "b", "X", "lost with a crash"))
    report.close()

    again = ErrorFile(report.path)
    again.begin(kept)
    again.add(Remark(2, "b", "X", "said again"))
    again.close()

    assert [row[4] for row in written(report.path)] == ["reason", "first", "said again"]


@given(st.text())
def test_no_cell_is_taken_for_a_formula_or_breaks_its_row(text: str) -> None:
    cell = safe(text)

    assert not cell.lstrip().startswith(("=", "+", "-", "@"))
    assert "\n" not in cell
    assert "\r" not in cell


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert safe(text).startswith("'")
    assert safe("Ada O'Brien-Smith") == "Ada O'Brien-Smith"


def test_a_line_that_goes_on_and_on_is_not_read_into_memory() -> None:
    endless = io.BytesIO(b"npi,name\n" + b"x" * (files.PIECE + 1))
    rows = files.lines(endless)

    assert next(rows) == "npi,name\n"
    with pytest.raises(Trouble, match="Line 2"):
        next(rows)
    assert endless.tell() == len(b"npi,name\n") + files.PIECE
