"""Files to import: plain or packed, read as a stream, known by their digest, in whatever encoding they were saved."""

from __future__ import annotations

import contextlib
import hashlib
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cli.trouble import Trouble

PIECE = 1_000_000
_ZIP, _GZIP, _UTF16 = b"PK\x03\x04", b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")
_LOST = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Source:
    """An open file. `raw` is the file itself, also of what is packed in it: how far that has been read is how far it has come."""

    path: Path
    raw: BinaryIO
    content: BinaryIO

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.path.stat().st_size

    def at(self) -> int:
        """How many of them have been read."""
        return self.raw.tell()


@contextlib.contextmanager
def opened(path: Path, wanted: re.Pattern[str]) -> Iterator[Source]:
    """The file, or the one file in a ZIP whose name is as `wanted`. Trouble, with the way out, when there is none."""
    with contextlib.ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise Trouble(
                f"{path} cannot be read ({error.strerror}).", "Name the file you have."
            ) from None
        start = raw.read(4)
        raw.seek(0)
        if start == _ZIP:
            yield Source(path, raw, stack.enter_context(_unpacked(stack, path, raw, wanted)))
            return
        if start.startswith(_GZIP):
            raise Trouble("The file is packed as gzip.", "Unpack it, or give the ZIP as it came.")
        if start.startswith(_UTF16):
            raise Trouble("The file is UTF-16.", "Save it as CSV in UTF-8.")
        if not start.strip():
            raise Trouble("The file is empty.", "Give a file with a header and rows.")
        yield Source(path, raw, raw)


def _unpacked(
    stack: contextlib.ExitStack, path: Path, raw: BinaryIO, wanted: re.Pattern[str]
) -> BinaryIO:
    try:
        packed = stack.enter_context(zipfile.ZipFile(raw))
        found = [one for one in packed.infolist() if wanted.search(one.filename)]
        if len(found) == 1:
            return packed.open(found[0])  # type: ignore[return-value]  # it reads bytes
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise Trouble(f"{path} cannot be unpacked: {error}.", "Download it again.") from None
    names = ", ".join(one.filename for one in found) or "none"
    raise Trouble(
        f"One file of the ZIP should be imported, and there is {names}.",
        "Unpack it, and give the file itself.",
    )


def digest(path: Path, moved: Callable[[int], None]) -> str:
    """The SHA-256 of the whole file; `moved` hears how many bytes have been read."""
    found, read = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            found.update(piece)
            read += len(piece)
            moved(read)
    return found.hexdigest()


def lines(content: BinaryIO, *, also: str | None = None) -> Iterator[str]:
    """Text with LF or CRLF, a byte order mark or none. Bytes that are no UTF-8 are read in the encoding `also`, or become
    replacement characters, as U+0000 does. A line that goes on and on is Trouble: no more than one is ever held."""
    try:
        for number, line in enumerate(iter(lambda: content.readline(PIECE), b"")):
            if len(line) == PIECE and not line.endswith(b"\n"):
                raise Trouble(
                    f"Line {number + 1} of the file is longer than {PIECE:,} bytes.",
                    "Give a table: each row on a line of its own.",
                )
            yield _text(line.removeprefix(b"\xef\xbb\xbf") if number == 0 else line, also)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError) as error:
        raise Trouble(
            f"The file cannot be read to its end: {error}.", "Download it again."
        ) from None


def _text(line: bytes, also: str | None) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode(also or "utf-8", errors="replace")
    return text.replace("\0", _LOST)
