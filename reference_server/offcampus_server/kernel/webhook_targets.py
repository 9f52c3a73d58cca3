"""Where webhooks may go: https to a public unicast address, checked at registration and again at connect.

Addresses hide in many spellings: mapped and translated IPv6, octal, hex and dword IPv4. Each is unwrapped before it
is judged; what is not certainly public is refused. In development plain http to this machine is allowed.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from offcampus_server.kernel.problems import Problem, violation

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "64:ff9b:1::/48", "100::/64", "2001::/23",
        "2001:db8::/32", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("2002::/16"))


def check_url(url: str, *, development: bool) -> None:
    """Raise `schema.invalid` when an address cannot be a webhook target by its spelling."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if development and host in ("127.0.0.1", "localhost"):
        return
    literal = _literal(host)
    reason = None
    if parts.scheme != "https":
        reason = "only https"
    elif parts.username is not None or not host:
        reason = "a host, and no user information"
    elif literal is not None and not is_public(literal):
        reason = "no private, link-local or special address"
    elif literal is None and not _may_be_a_name(host):
        reason = "a public host name"
    if reason is not None:
        raise Problem("schema.invalid", reason, [violation("webhook.target", "/url", allowed=reason)])


def resolve(host: str, port: int, *, development: bool) -> str:
    """The checked address to connect to. Raises OSError when any address of the host is not public."""
    found = {entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    addresses = [ipaddress.ip_address(str(text).partition("%")[0]) for text in found]
    if not development and any(not is_public(address) for address in addresses):
        raise OSError("the host resolves to an address that is not public")
    return str(sorted(addresses, key=str)[0])


def is_public(address: Address) -> bool:
    """A global unicast address, after unwrapping mapped, 6to4 and NAT64 forms."""
    inner = _unwrapped(address)
    if inner is not None:
        return False  # a wrapped address has no business in a webhook target, whatever it wraps
    blocked = any(address in network for network in _NOT_PUBLIC if network.version == address.version)
    return address.is_global and not address.is_multicast and not blocked


def _unwrapped(address: Address) -> Address | None:
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address if any(address in network for network in _TRANSLATED) else None


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # 0x7f000001, 2130706433, 127.1, 017700000001
    except OSError:
        return None


def _may_be_a_name(host: str) -> bool:
    labels = host.rstrip(".").split(".")
    special = ("localhost", "local", "internal", "arpa", "test", "invalid", "onion")
    return len(labels) >= 2 and labels[-1] not in special and not labels[-1].isdigit()
