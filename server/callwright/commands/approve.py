"""`callwright approve`: a person at a terminal approves a call of a client that cannot ask its user."""

from collections.abc import Callable, Collection

import anyio
import anyio.to_thread

from ..accounts.principals import LOCAL
from ..app import App
from ..approval.site_links import LINK_SECONDS, sign_in_link
from ..clock import now_ms

Ask = Callable[[str, bool], str | None]
"""Shows a question to the person at the terminal and waits for the answer: None for a no, any text for a yes. If the
flag is set, the text is the secret value that the person enters."""


def approve(app: App, code: str | None, ask: Ask | None) -> tuple[int, str]:
    """Exit status and text: the pending approvals, or the approved one. Nothing is approved without `ask`."""
    return anyio.run(_list, app) if code is None else anyio.run(_approve, code, ask, app)


def link(app: App, name: str, known: Collection[str], *, at_terminal: bool) -> tuple[int, str]:
    """Exit status and text: a link with which the holder of a token signs in to answer, once. `known`: the names."""
    if not at_terminal:
        return 1, "Whoever has this link approves: run this command in a terminal yourself, with its output there."
    if name not in known:
        return 1, f"No token has the name {name!r}. There are: {', '.join(sorted(known))}."
    if not app.settings.public_url:
        return 1, "Set CALLWRIGHT_PUBLIC_URL, here and for the server: the link is an address under it."
    made = sign_in_link(app.settings.public_url, name, app.state_key, app.clock())
    return 0, f"{made}\nHand it to {name}, and to nobody else. It signs in once, within {LINK_SECONDS // 60} minutes."


async def _list(app: App) -> tuple[int, str]:
    try:
        waiting = await (await app.ledger()).waiting()
    finally:
        await app.close()
    if not waiting:
        return 0, f"Nothing waits for approval in {app.settings.home}."
    lines = [f"{p.code}  {p.tool}, for {(p.expires_ms - now_ms()) // 60_000 + 1} min  {p.question}" for p in waiting]
    return 0, "\n".join([*lines, "", "callwright approve CODE lets the same call run once."])


async def _approve(code: str, ask: Ask | None, app: App) -> tuple[int, str]:
    try:
        ledger = await app.ledger()
        found = next((p for p in await ledger.waiting() if p.code == code.strip().upper()), None)
        if found is None:
            return 1, (
                f"Nothing with the code {code!r} waits in {app.settings.home}: it was used, declined or has expired."
                " Call the tool again."
            )
        if ask is None:
            return 1, (
                "Approving needs a person: run this command in a terminal yourself, with its output there, and answer."
            )
        enters = found.needs == "value"
        asked_by = "" if found.who == LOCAL else f" (asked by {found.who})"
        said = await anyio.to_thread.run_sync(ask, f"{found.tool}{asked_by}: {found.question}", enters)
        if said is None:
            await ledger.decline(found.code)
            return 1, "Not approved; the question is closed."
        approved = await ledger.approve(found.code, said if enters else None)
    finally:
        await app.close()
    if approved is None:
        return 1, "The question has expired meanwhile. Call the tool again."
    minutes = (approved.expires_ms - now_ms()) // 60_000
    return 0, f"Approved. Call {approved.tool} again within {minutes} minutes, arguments unchanged."
