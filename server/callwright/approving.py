"""`callwright approve`: a person says yes to what a client that cannot be asked was refused."""

import anyio

from .app import App
from .clock import now_ms


def approve(app: App, code: str | None) -> tuple[int, str]:
    """Exit status and text: what waits, or what was approved."""
    return anyio.run(_list, app) if code is None else anyio.run(_approve, code, app)


async def _list(app: App) -> tuple[int, str]:
    try:
        waiting = await (await app.ledger()).waiting()
    finally:
        await app.close()
    if not waiting:
        return 0, "Nothing waits for approval."
    lines = [f"{p.code}  {p.tool}, for {(p.expires_ms - now_ms()) // 60_000 + 1} min  {p.question}" for p in waiting]
    return 0, "\n".join([*lines, "", "callwright approve CODE lets the same call run once."])


async def _approve(code: str, app: App) -> tuple[int, str]:
    try:
        approved = await (await app.ledger()).approve(code)
    finally:
        await app.close()
    if approved is None:
        return 1, f"Nothing with the code {code!r} waits: it was used, declined or has expired. Call the tool again."
    minutes = (approved.expires_ms - now_ms()) // 60_000
    return (
        0,
        f"Approved: {approved.question}\nCall {approved.tool} again within {minutes} minutes, arguments unchanged.",
    )
