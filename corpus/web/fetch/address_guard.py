"""Guard against internal addresses: what may be connected to, checked on the socket itself.

Names are looked up once for each new connection, the addresses found are checked, and the connection is made to
one of them, so a name that answers differently the next time (rebinding) gains nothing. Addresses written as
numbers never reach a resolver: they are checked where every connection makes its socket.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is assigned: nothing else is public (`::127.0.0.1`, site-local and segment addresses)."""
_NEVER = tuple(
    ipaddress.ip_network(name)
    for name in (
        "168.63.129.16/32",  # Azure's wire server: instance metadata behind a public address
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata at .192. Public to Python before 3.11.10
        "192.88.99.0/24",  # relays from IPv4 to 6to4, deprecated
        "3fff::/20",  # documentation (RFC 9637)
    )
)


class BlockedAddress(OSError):
    """Raised for a connection to an address that must not be contacted."""


class AddressGuard:
    """Which addresses may be connected to: public unicast ones, and those of the networks given."""

    def __init__(self, allowed: Sequence[str] = ()) -> None:
        self._allowed: tuple[Network, ...] = tuple(ipaddress.ip_network(network) for network in allowed)

    def allows(self, text: str) -> bool:
        """Return whether an address, as the system writes it, may be connected to."""
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            return False
        forms = _address_forms(address)
        if all(
            any(form.version == net.version and form in net for net in self._allowed) for form in forms[-1:]
        ):
            return True
        return all(_is_public(form) for form in forms)

    def socket(self, info: Any) -> socket.socket:
        """Make a socket for one result of getaddrinfo. Raises BlockedAddress before any packet is sent."""
        family, kind, protocol, _, place = info
        if not self.allows(place[0]):
            raise BlockedAddress(f"{place[0]} is not a public address")
        return socket.socket(family=family, type=kind, proto=protocol)


def _address_forms(address: Address) -> list[Address]:
    """Return the address and, as the last one, the IPv4 address embedded in it, if any."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inside: Address | None = address.ipv4_mapped or address.sixtofour
    if inside is None and address.teredo is not None:
        inside = address.teredo[1]
    if inside is None and address in _NAT64:
        inside = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inside is None:
        return [address]
    # A mapped address is the other one written differently; of a tunnel both ends must be public.
    return [inside] if address.ipv4_mapped else [address, inside]


def _is_public(address: Address) -> bool:
    if any(address.version == net.version and address in net for net in _NEVER):
        return False
    if address.version == 6 and address not in _UNICAST and address not in _NAT64:
        return False
    return address.is_global and not address.is_multicast


class GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that the guard allows. `fixed` holds addresses used instead of lookups."""

    def __init__(self, guard: AddressGuard, fixed: Mapping[str, str]) -> None:
        self._guard, self._fixed = guard, {name.lower(): address for name, address in fixed.items()}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name. Raises BlockedAddress where no address is allowed, OSError where the name has none."""
        fixed_address = self._fixed.get(host.lower().rstrip("."), self._fixed.get("*"))
        loop = asyncio.get_running_loop()
        infos = await loop.getaddrinfo(fixed_address or host, port, type=socket.SOCK_STREAM, family=family)
        results: list[ResolveResult] = []
        for found_family, _, protocol, _, place in infos:
            if self._guard.allows(str(place[0])):
                results.append(
                    ResolveResult(
                        hostname=host,
                        host=str(place[0]),
                        port=port,
                        family=found_family,
                        proto=protocol,
                        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
                    )
                )
        if infos and not results:
            raise BlockedAddress(f"{host} is at {infos[0][4][0]}, which is not a public address")
        return results

    async def close(self) -> None:
        return
