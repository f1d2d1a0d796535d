"""The gateway's settings."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from kit.config import ProcessSettings, address, number, setting, url

SUPERGRAPH = Path(__file__).parent / "supergraph.graphql"


def existing_file(value: str) -> Path:
    """The path of a file that is there."""
    path = Path(value)
    if not path.is_file():
        raise ValueError(f"must name a file; there is none at {value!r}")
    return path


def origins(value: str) -> frozenset[str]:
    """Origins such as https://clinic.example, separated by commas; may be empty."""
    wanted = frozenset(part.strip().rstrip("/") for part in value.split(",") if part.strip())
    for origin in wanted:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
            raise ValueError(f"must be origins such as https://clinic.example, not {origin!r}")
    return wanted


def addresses(value: str) -> tuple[str, ...]:
    """IP addresses or networks, separated by commas; may be empty."""
    wanted = tuple(part.strip() for part in value.split(",") if part.strip())
    for one in wanted:
        try:
            ip_network(one)
        except ValueError:
            raise ValueError(f"must be IP addresses or networks, not {one!r}") from None
    return wanted


def _subgraph(name: str) -> str:
    read = url("http", "https")
    about = f"GraphQL door of the {name} service"
    address: str = setting(f"SUBGRAPH_{name.upper()}_URL", read, about=about)
    return address


@dataclass(frozen=True, kw_only=True)
class GatewaySettings(ProcessSettings):
    """What the gateway is told besides."""

    subgraph_identity: str = _subgraph("identity")
    subgraph_directory: str = _subgraph("directory")
    subgraph_insurance: str = _subgraph("insurance")
    subgraph_referrals: str = _subgraph("referrals")
    subgraph_reporting: str = _subgraph("reporting")
    identity_rpc: str = setting("IDENTITY_RPC", address, about="gRPC door of the identity service")
    supergraph: Path = setting(
        "SUPERGRAPH", existing_file, str(SUPERGRAPH), about="file with the composed supergraph"
    )
    allowed_origins: frozenset[str] = setting(
        "ALLOWED_ORIGINS", origins, "", about="origins of web clients served from elsewhere"
    )
    trusted_proxies: tuple[str, ...] = setting(
        "TRUSTED_PROXIES",
        addresses,
        "",
        about="addresses of proxies whose X-Forwarded-For is believed",
    )
    subgraph_timeout: int = setting(
        "SUBGRAPH_TIMEOUT", number(1, 300), "4", about="seconds a subgraph may take for one answer"
    )
    request_timeout: int = setting(
        "REQUEST_TIMEOUT", number(1, 600), "5", about="seconds a whole query may take"
    )
    cost_per_minute: int = setting(
        "COST_PER_MINUTE",
        number(5_000, 1_000_000_000),
        "600000",
        about="things that one user may ask for in a minute, all operations together",
    )

    @property
    def subgraph_urls(self) -> dict[str, str]:
        """Every subgraph's address by its name in the supergraph."""
        return {
            "identity": self.subgraph_identity,
            "directory": self.subgraph_directory,
            "insurance": self.subgraph_insurance,
            "referrals": self.subgraph_referrals,
            "reporting": self.subgraph_reporting,
        }
