"""Where a person answers who cannot be asked in the conversation, and what the answer to the model says of it.

A model may have a shell, or a tool that fetches addresses. So an address that is enough to answer stands in no text:
the server opens it in the person's browser, or the client shows it. One where people sign in may stand there.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from mcp.types import CallToolResult

from ..ledger.ledger import Pending
from .refusal import refusal

PERSON_SECONDS = 900
PROGRAM = "callwright"


class Page(Protocol):
    """A page where approvals are answered."""

    @property
    def told(self) -> str | None:
        """The address for texts, where one has to sign in; None if the address must not stand in a text."""
        ...

    async def address(self, code: str) -> str:
        """The address that a client shows to its user."""
        ...

    async def opened(self, pending: Pending) -> bool:
        """Whether the person's browser has the page of this approval, which is opened there if that can be done."""
        ...


@dataclass(frozen=True)
class Site:
    """The approvals page of the HTTP server, where each principal signs in. `url`: scheme and host."""

    url: str
    reached: bool
    """Whether clients are known to reach the server at `url`, so that texts may name it."""

    @property
    def told(self) -> str | None:
        return f"{self.url}{SITE_PATH}" if self.reached else None

    async def address(self, code: str) -> str:
        return f"{self.url}{SITE_PATH}"

    async def opened(self, pending: Pending) -> bool:
        """False: the person sits at another machine."""
        return False


SITE_PATH = "/approvals"


def waits(
    pending: Pending, *, why: str, here: str, page: Page | None, command: str | None, shown: bool
) -> CallToolResult:
    """The result of a call that waits for a person outside the conversation.

    `here`: why they were not asked in it; `command`: the command line of this program, if the user can run it; `shown`:
    whether their browser has the page.
    """
    approve = f"{command or PROGRAM} approve"
    given: dict[str, Any] = {"approve_with": f"{approve} {pending.code}"}
    if shown:
        given = {"approve_with": approve}
        way = (
            f"answer on the page that has opened in their browser (closed? `{approve}` in a terminal shows what waits)"
        )
    elif page and page.told:
        given["approve_at"] = page.told
        way = f"open {page.told} in a browser, to sign in there and to answer"
        way += f", or to run `{approve} {pending.code}` in a terminal" if command else ""
    elif command:
        way = f"run `{approve} {pending.code}` in a terminal and answer there"
    else:
        way = (
            f"have whoever runs this server run `{approve} {pending.code}` there (or set CALLWRIGHT_PUBLIC_URL, with"
            f" which each user answers at {SITE_PATH})"
        )
    text = (
        f"Not done yet. {pending.question} This needs a person ({why}), and {here}. Ask the user to {way} within"
        f" {PERSON_SECONDS // 60} minutes. When they have agreed, call {pending.tool} again with the same arguments."
    )
    return refusal(text, {"needs_approval": "person", "would": pending.question, "why": why, **given})
