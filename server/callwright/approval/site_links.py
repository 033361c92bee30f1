"""Links for one use that sign a principal in to the page of approvals: the operator prints one, and hands it on."""

import secrets

from .outside import SITE_PATH
from .seals import Seals

LINK_SECONDS = 900
_PURPOSE = "approvals link"


def sign_in_link(url: str, name: str, state_key: bytes, now_ms: int) -> str:
    """The address at which the principal `name` signs in, once. `url`: scheme and host of the server."""
    sealed = Seals(state_key, _PURPOSE).seal([name, now_ms + 1000 * LINK_SECONDS, secrets.token_hex(16)])
    return f"{url}{SITE_PATH}/link/{sealed}"


def opened_link(link: str, state_key: bytes, now_ms: int) -> tuple[str, str]:
    """The principal's name and the id of the link; two empty texts if it is none, or has expired."""
    try:
        name, until, id = Seals(state_key, _PURPOSE).open(link)
    except ValueError:
        return "", ""
    return (name, id) if until >= now_ms else ("", "")
