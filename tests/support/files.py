"""Small files for tests, genuine and not."""

from __future__ import annotations

import struct
import zlib


def _chunk(kind: bytes, contents: bytes) -> bytes:
    whole = kind + contents
    return struct.pack(">I", len(contents)) + whole + struct.pack(">I", zlib.crc32(whole))


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)
PDF = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\ntrailer\n<</Root 1 0 R>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + bytes(150) + b"\xff\xd9"
TIFF = b"II*\0\x08\0\0\0" + bytes(150)
DICOM = bytes(128) + b"DICM" + bytes(50)
TEXT = "Blood pressure 120/80,\tcafé\r\n".encode() * 3
ELF = b"\x7fELF\2\1\1" + bytes(200)
PROGRAM_IN_DICOM = b"MZ" + b"\x90" * 126 + b"DICM" + bytes(50)
"""What a scanner of malware skips, because it says that it is a picture."""
