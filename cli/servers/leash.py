"""Starts a program that ends when its parent ends, and as somebody else than root where it insists on that.

Run as a script (`python -I -S leash.py PARENT SIGNAL IDENTITY PROGRAM ...`), so that nothing of ours runs between fork and exec in a
process with threads. PROGRAM is an absolute path. IDENTITY is `self`, `unroot` (root only: a user namespace in which we are user 1000, while files stay root's;
exit code 99 when the kernel refuses) or `UID:GID`.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
REFUSED = 99
INNER_ID = 1000


def unroot() -> None:
    """Become an ordinary user to ourselves, and stay who we are to the file system."""
    uid, gid = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        sys.exit(REFUSED)
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("gid_map", f"{INNER_ID} {gid} 1"),
            ("uid_map", f"{INNER_ID} {uid} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs 10 ms at each start
                file.write(text)
    except OSError:
        sys.exit(REFUSED)


def become(identity: str) -> None:
    """Take on the identity that was asked for."""
    if identity == "unroot":
        unroot()
    elif identity != "self":
        uid, gid = (int(part) for part in identity.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)


def tie(parent: int, signal: int) -> None:
    """Ask the kernel for `signal` when the parent dies (Linux; elsewhere the next start cleans up)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


if __name__ == "__main__":
    _parent, _signal, _identity, *_program = sys.argv[1:]
    become(_identity)
    tie(int(_parent), int(_signal))
    os.execv(_program[0], _program)  # noqa: S606 - running the given program is what this file is for
