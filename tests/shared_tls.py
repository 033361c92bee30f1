"""The certificates of this machine are read once in a process, not for each HTTP client, which takes 30 ms.

Nearly all clients of tests speak to loopback servers without TLS; httpx2 reads the certificates all the same.
"""

from functools import cache

import httpcore2


def read_certificates_once() -> None:
    httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)
