"""Accepts a client: authentication, its initiation data, and the error for a refused client."""

import logging
from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocket

from ...contract.errors import ApiError, InvalidRequest
from ...contract.merge import Json
from ..checks.access import home_of
from ..checks.problems import refuse_unstorable
from ..dialogue.variables import MissingVariables, of_a_call
from ..roles.role_loader import RoleLoader
from ..store.transaction import RequestOrigin
from ..unit import Unit
from .client_socket import ClientSocket
from .frames import INITIATION, Brought, Malformed, brought, greeting, unpacked
from .medium import INTERNAL, OPERATIONAL, REFUSED
from .recorder import Recorder
from .session import Session
from .start import Denied, check_access, events_of, plan
from .text_medium import TextMedium
from .timers import Timers

if TYPE_CHECKING:
    from ..runtime import Engine

INITIATION_SECONDS = 10.0
"""The longest wait for the client's initiation data."""
SUBPROTOCOL, BEARER = "convai", "bearer."
_BEFORE = 50
"""Frames allowed before the first one that counts, because the SDKs send audio at once."""

log = logging.getLogger(__name__)


async def answer(engine: "Engine", socket: WebSocket, workspace: str | None) -> None:
    """Hold a conversation with a client. `workspace`: the workspace of the client's API key, if it sent one.

    The WebSocket of a refused client is accepted first, because otherwise the client could not read the reason.
    """
    offered: list[str] = socket.scope.get("subprotocols") or []
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    client = ClientSocket(socket)
    try:
        session = await _admitted(engine, socket, client, workspace)
    except Denied as denied:
        await client.refuse(REFUSED, str(denied), denied.error_type, **denied.details)
    except MissingVariables as missing:
        await client.refuse(REFUSED, str(missing), "missing_dynamic_variable", names=missing.names)
    except Malformed as wrong:
        await client.refuse(REFUSED, str(wrong), "invalid_message")
    except TimeoutError:
        said = f"No {INITIATION} came within {INITIATION_SECONDS:g} seconds."
        await client.refuse(OPERATIONAL, said, "transport_receive_timeout")
    except InvalidRequest as wrong:
        await client.refuse(REFUSED, str(wrong), "value_error")
    except ApiError as refused:
        await client.refuse(REFUSED, str(refused))
    except Exception:
        log.exception("Defect in the start of a conversation")
        await client.refuse(INTERNAL, "Internal error.", "unknown_websocket_crash")
    else:
        if session is not None:
            await session.run()


async def _admitted(engine: "Engine", socket: WebSocket, client: ClientSocket, workspace: str | None) -> Session | None:
    """Returns None if the client left before the conversation began."""
    query = socket.query_params
    for name, value in query.multi_items():
        refuse_unstorable(value, ["query", name])
    if not (agent_id := query.get("agent_id")):
        raise Malformed("The URL names no agent: add ?agent_id=...")
    token = query.get("conversation_signature") or query.get("token") or _bearer(socket)
    origin = RequestOrigin(page=socket.headers.get("origin"), has_key=workspace is not None)
    unit, refusal = await _unit(engine, origin, workspace, agent_id, token)
    # The SDKs send a frame before they read, and miss the reason if they cannot: a refused client may send one, too.
    frame = await _first(engine, client)
    if refusal is not None:
        raise refusal
    if frame is None or unit is None:
        return None
    return await _begun(engine, unit, socket, client, agent_id, token, brought(frame))


async def _unit(
    engine: "Engine", origin: RequestOrigin, workspace: str | None, agent_id: str, token: str | None
) -> tuple[Unit | None, ApiError | None]:
    """The workspace of the agent, or the error for a refused client."""
    try:
        if workspace is None:
            workspace = await engine.database.read(lambda db: home_of(db, agent_id))
        unit = engine.unit(workspace, origin)
        await unit.read(lambda tx: check_access(tx, agent_id, token))
    except ApiError as refusal:
        return None, refusal
    return unit, None


async def _begun(
    engine: "Engine",
    unit: Unit,
    socket: WebSocket,
    client: ClientSocket,
    agent_id: str,
    token: str | None,
    brought: Brought,
) -> Session:
    made = await unit.read(lambda tx: plan(tx, agent_id, token, brought))
    client.events = events_of(made)
    # Only a client with the key may declare a phone call: an unauthenticated one would get the tools that dial.
    on_phone = unit.origin.has_key and of_a_call(brought.data["dynamic_variables"])
    roles = RoleLoader(unit, agent_id, made.override, on_phone=on_phone)
    role = await roles.role(agent_id)
    told: Json = brought.data.get("source_info") or {}
    query = socket.query_params
    source = told.get("source") or query.get("source"), told.get("version") or query.get("version")
    recorder = Recorder(unit, made, role, engine.holder, source)
    timers = Timers(lambda: unit.clock() / 1000, engine.sleep)
    session = Session(TextMedium(client, timers, unit.clock), recorder, role, roles, timers)
    await recorder.begin()
    await client.send(greeting(made.conversation_id, made.config))
    return session


async def _first(engine: "Engine", client: ClientSocket) -> Json | None:
    """The frame with the client's initiation data; None if the client left. Raises TimeoutError."""
    found: list[Json | None] = []

    async def read() -> None:
        for _ in range(_BEFORE):
            message = await client.receive()
            frame = None if message is None else unpacked(message)
            if frame is None or frame.get("type") == INITIATION:
                found.append(frame)
                return
        raise Malformed(f"The first frame is {INITIATION}.")

    wrong: list[Malformed] = []
    async with anyio.create_task_group() as tasks:

        async def give_up() -> None:
            await engine.sleep(INITIATION_SECONDS)
            tasks.cancel_scope.cancel()

        tasks.start_soon(give_up)
        try:
            await read()
        except Malformed as exc:  # raised again below, outside of an exception group
            wrong.append(exc)
        tasks.cancel_scope.cancel()
    if wrong:
        raise wrong[0]
    if not found:
        raise TimeoutError
    return found[0]


def _bearer(socket: WebSocket) -> str | None:
    """The token of a browser, which can send it only as the name of a subprotocol."""
    offered: list[str] = socket.scope.get("subprotocols") or []
    return next((name.removeprefix(BEARER) for name in offered if name.startswith(BEARER)), None)
