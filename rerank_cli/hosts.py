"""Hosts, and which of them is this machine."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine is reached at, or reaches, *host*: a name or an address without brackets."""
    from ipaddress import ip_address  # which few commands need

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
