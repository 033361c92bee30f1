"""The guard against requests to internal addresses, for URLs from users: documents, webhooks, MCP servers, models.

A URL is checked twice: `check` when it is saved, by its text alone; and again when it is called (`pinned.py`), by every
address that its host then resolves to. Internal addresses are refused: this machine, private networks, cloud metadata.
The operator allows some of them by name (`CALLWRIGHT_ALLOW_PRIVATE`); no request can.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from httpx2 import URL, InvalidURL

from ..contract.errors import BadRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 4096
WEB = ("https", "http")
SOCKET = ("wss", "ws")

_SECURE = frozenset({"https", "wss"})
_LOCAL_SUFFIXES = ("localhost", "local", "internal", "intranet", "lan", "corp", "home", "localdomain", "arpa", "onion")
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"})
_METADATA = frozenset(
    map(
        ip_address,
        (
            "169.254.169.254",  # most clouds
            "169.254.170.2",  # AWS containers
            "169.254.170.23",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle
            "168.63.129.16",  # Azure: a public address that is served to each machine internally
        ),
    )
)
# Networks that `is_global` reports as public in some or all versions of Python, but that have no public hosts.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",
            "192.88.99.0/24",  # 6to4 relays
            "64:ff9b:1::/48",  # NAT64 of a local network
            "2001::/23",  # protocol assignments, and Teredo, which hides an IPv4 address
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
            "fec0::/10",
        ),
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class AllowList:
    """Private destinations that the operator allows: host names, addresses, networks."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """From `localhost, 10.0.0.0/8, crm.internal`. Raises ValueError that names the bad entry."""
        hosts, networks = set[str](), list[Network]()
        for entry in filter(None, re.split(r"[\s,]+", text)):
            try:
                networks.append(ip_network(entry))
            except ValueError:
                if not re.fullmatch(r"(?=.*[a-z])[a-z0-9_-]+(\.[a-z0-9_-]+)*", entry.lower()):
                    raise ValueError(f"{entry!r} is neither a host name nor an address nor a network (CIDR)") from None
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def with_host_of(self, url: str) -> "AllowList":
        """A copy that also allows the host of a URL that the operator set, such as the model's endpoint."""
        host = URL(url).host.lower().rstrip(".")
        address = _literal(host)
        if address:
            return replace(self, networks=(*self.networks, ip_network(address)))
        return replace(self, hosts=self.hosts | {host})

    def names(self, host: str) -> bool:
        """Whether this host name or literal address is allowed."""
        host = host.lower().rstrip(".")
        address = _literal(host)
        if address:
            return self.holds(address)
        return host in self.hosts or (_is_localhost(host) and self.holds(IPv4Address("127.0.0.1")))

    def holds(self, address: Address) -> bool:
        """Metadata services are allowed only by their exact address: a wide network does not include them."""
        if address in _METADATA:
            return ip_network(address) in self.networks
        if address.is_loopback and ("localhost" in self.hosts or self._covers(IPv4Address("127.0.0.1"))):
            return True  # both families are this machine
        return self._covers(address)

    def _covers(self, address: Address) -> bool:
        return any(address in network for network in self.networks)


NOTHING_PRIVATE = AllowList()


def check(url: str, *, allow: AllowList = NOTHING_PRIVATE, schemes: tuple[str, ...] = WEB) -> None:
    """Raises BadRequest if `url` may not be called, judged by its text. Resolves no names."""
    if len(url) > LONGEST_URL:
        raise BadRequest(f"An address may have at most {LONGEST_URL} characters.")
    if re.search(r"[\x00-\x20\x7f-\x9f\\]", url):
        raise BadRequest("An address has no spaces, control characters or backslashes.")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host.decode("ascii").lower().rstrip("."), parsed.port
    except (InvalidURL, UnicodeError):
        raise BadRequest("This is not an address that can be called.") from None
    if parsed.scheme not in schemes or not host:
        raise BadRequest(f"An address starts with {schemes[0]}:// and a host.")
    if parsed.userinfo:
        raise BadRequest("An address carries no user or password; use a secret in a header instead.")
    allowed = allow.names(host)
    _check_host(host, allow, allowed=allowed)
    if parsed.scheme not in _SECURE and not allowed:
        raise BadRequest(f"An address must be {schemes[0]}, except on hosts that CALLWRIGHT_ALLOW_PRIVATE names.")
    if port is not None and not allowed and port not in (80, 443) and not 1024 <= port <= 65535:
        raise BadRequest(f"Port {port} belongs to another service; use 443 or one from 1024 to 65535.")


def check_address(address: Address, host: str, allow: AllowList) -> None:
    """Raises BadRequest if `address` of `host` is internal. All forms that embed an IPv4 address are unwrapped."""
    for inner in _meant(address):
        if inner in _METADATA and not allow.holds(inner):
            raise BadRequest(f"{host} leads to a cloud's metadata service, which is never called.")
        if not (_is_public(inner) or allow.holds(inner) or host in allow.hosts):
            raise BadRequest(
                f"{host} leads into a private network or to this machine. The operator can allow it with "
                "CALLWRIGHT_ALLOW_PRIVATE."
            )


def _check_host(host: str, allow: AllowList, *, allowed: bool) -> None:
    address = _literal(host)
    if address:
        check_address(address, host, allow)
    elif re.fullmatch(r"(.*\.)?(\d+|0x[0-9a-f]*)", host):
        raise BadRequest(f"{host} is no address: a name does not end in a number.")
    elif not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", host):
        raise BadRequest("The host of the address is not a host name.")
    elif not allowed and (host in _METADATA_NAMES or "." not in host or host.rpartition(".")[2] in _LOCAL_SUFFIXES):
        raise BadRequest(
            f"{host} is a name of this machine or of a private network. The operator can allow it with "
            "CALLWRIGHT_ALLOW_PRIVATE."
        )


def _is_localhost(host: str) -> bool:
    return host == "localhost" or host.endswith(".localhost")


def _literal(host: str) -> Address | None:
    """The address in a literal host, in any notation that a resolver accepts: `127.1`, `0x7f000001`, `0177.0.0.1`."""
    try:
        return ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        pass
    try:
        parts = [_c_number(part) for part in host.split(".")]
    except ValueError:
        return None
    *first, last = parts
    if len(parts) > 4 or any(part > 255 for part in first) or last >= 256 ** (5 - len(parts)):
        return None
    return IPv4Address(sum(part << 8 * (3 - i) for i, part in enumerate(first)) + last)


def _c_number(text: str) -> int:
    if not re.fullmatch(r"0x[0-9a-f]*|[0-9]+", text):
        raise ValueError(text)
    if text.startswith("0x"):
        return int(text[2:] or "0", 16)
    return int(text, 8 if text.startswith("0") else 10)


def _meant(address: Address) -> Iterator[Address]:
    """The address itself, or the addresses embedded in it."""
    if isinstance(address, IPv4Address):
        yield address
        return
    low = IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address in _NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # or the old form, ::127.0.0.1
        yield low
    else:
        yield address
        if (int(address) >> 32) & 0xFCFFFFFF == 0x5EFE:  # ISATAP, in the lower half
            yield low


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global or any(address in network for network in _NOT_PUBLIC):
        return False
    return isinstance(address, IPv4Address) or address in _GLOBAL_UNICAST
