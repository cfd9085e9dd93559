"""Calls that a fake makes itself."""

from functools import cache

import httpx

# Reading the certificates takes tens of milliseconds, which a test that starts a fake would pay each time.
_tls = cache(httpx.create_ssl_context)


def http_client(timeout_s: float = 5.0) -> httpx.AsyncClient:
    """Return a client that asks the machine's environment for nothing, proxies included."""
    return httpx.AsyncClient(verify=_tls(), trust_env=False, timeout=timeout_s)
