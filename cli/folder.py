"""The data folder of an embedded system: where everything lies, and that only one system uses it at a time."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cli.servers.nats_config import Credentials
from cli.servers.secrets import kept_secret
from cli.trouble import Trouble

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT / ".suite/data"
KEEP_LOG = 10_000_000
PRIVATE = 0o700
"""Of secrets, and of mail above all: letters hold first passwords."""


def from_where_asked(path: Path) -> Path:
    """A path as the person meant it: relative to the folder the command was typed in."""
    return Path(os.environ.get("SUITE_FROM", ".")).joinpath(path.expanduser()).resolve()


@dataclass(frozen=True)
class DataFolder:
    """Paths below the data folder, and its secrets."""

    path: Path

    @property
    def secrets(self) -> Path:
        """Generated secrets; the folder is 0700, its files 0600."""
        return self.path / "secrets"

    @property
    def mail(self) -> Path:
        """One .eml file for each letter the system sent."""
        return self.path / "mail"

    @property
    def audit(self) -> Path:
        """The checkpoints of the audit trails. In earnest they belong on another volume than the databases."""
        return self.path / "audit"

    @property
    def accounts(self) -> Path:
        """The demo world's sign-ins: a JSON list of {role, organization, email, password}. It is there once the demo is."""
        return self.path / "accounts.json"

    @property
    def state(self) -> Path:
        """What runs now: JSON with the gateway's URL and the processes."""
        return self.path / "running.json"

    def log(self, name: str) -> Path:
        """The log of a process."""
        return self.path / "logs" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """Where the number of a process is kept, so that the next start can end what a kill left behind."""
        return self.path / "run" / f"{name}.pid"

    @property
    def credentials(self) -> Credentials:
        """NATS users and the key that signs partners in."""
        return Credentials(self.secrets)

    @property
    def viewer_key(self) -> str:
        """The key our processes sign the viewer with."""
        return kept_secret(self.secrets / "viewer.key")

    def audit_key(self, service: str) -> str:
        """What a service signs the checkpoints of its audit trail with."""
        return kept_secret(self.secrets / f"audit-{service}.key")

    def database_password(self, role: str) -> str:
        """The password of a database role: a service's, or the one that owns its tables."""
        return kept_secret(self.secrets / f"postgres-{role}.password")

    def secret(self, name: str, size: int = 32) -> str:
        """Another secret that is made once: so many random bytes, in hexadecimal digits."""
        return kept_secret(self.secrets / name, size)

    def prepare(self) -> IO[str]:
        """Make the folder and take it; it is ours until the returned file is closed, or we die. Trouble when it is in use."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in ("secrets", "logs", "run", "mail", "audit"):
                (self.path / name).mkdir(exist_ok=True)
                (self.path / name).chmod(PRIVATE)
            lock = (self.path / "lock").open("a+", encoding="ascii")
        except OSError as error:
            raise Trouble(
                f"You may not write to {self.path} ({error.strerror}).",
                "Give --data a folder of your own, or run as the folder's owner.",
            ) from None
        self._take(lock)
        self._turn_logs()
        return lock

    def _take(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another one"
            lock.close()
            raise Trouble(
                f"A system already runs on {self.path} (process {holder}).",
                "Stop that one, or give --data another folder.",
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()

    def _turn_logs(self) -> None:
        for log in (self.path / "logs").glob("*.log"):
            if log.stat().st_size > KEEP_LOG:
                log.replace(log.with_suffix(".log.old"))
