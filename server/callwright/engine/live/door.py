"""Where a client comes in: who it is, what it brings along, and the words with which it is sent away."""

import logging
from typing import TYPE_CHECKING

import anyio
from starlette.websockets import WebSocket

from ...contract.errors import ApiError, InvalidRequest
from ...contract.merge import Json
from ..access import home_of
from ..dialogue.variables import MissingVariables, of_a_call
from ..handlers import Asker, Unit
from ..problems import refuse_unstorable
from ..role_loader import RoleLoader
from .frames import INITIATION, Brought, Malformed, brought, greeting, unpacked
from .keeping import Record
from .line import INTERNAL, OPERATIONAL, REFUSED, Line
from .session import Session
from .start import Denied, check_door, events_of, plan

if TYPE_CHECKING:
    from ..runtime import Engine

INITIATION_SECONDS = 10.0
"""How long a client may take to say what it brings along."""
SUBPROTOCOL, BEARER = "convai", "bearer."
_BEFORE = 50
"""Frames that may come before the first one that counts: the SDKs send audio at once."""

log = logging.getLogger(__name__)


async def answer(engine: "Engine", socket: WebSocket, workspace: str | None) -> None:
    """Hold a conversation with a client. `workspace`: the one whose key it shows, if it shows one.

    A client that is refused is let in first, because only then can it read why.
    """
    offered: list[str] = socket.scope.get("subprotocols") or []
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    line = Line(socket)
    try:
        session = await _admitted(engine, socket, line, workspace)
    except Denied as denied:
        await line.refuse(REFUSED, str(denied), denied.error_type, **denied.details)
    except MissingVariables as missing:
        await line.refuse(REFUSED, str(missing), "missing_dynamic_variable", names=missing.names)
    except Malformed as wrong:
        await line.refuse(REFUSED, str(wrong), "invalid_message")
    except TimeoutError:
        said = f"No {INITIATION} came within {INITIATION_SECONDS:g} seconds."
        await line.refuse(OPERATIONAL, said, "transport_receive_timeout")
    except InvalidRequest as wrong:
        await line.refuse(REFUSED, str(wrong), "value_error")
    except ApiError as refused:
        await line.refuse(REFUSED, str(refused))
    except Exception:
        log.exception("Defect in the start of a conversation")
        await line.refuse(INTERNAL, "Internal error.", "unknown_websocket_crash")
    else:
        if session is not None:
            await session.run()


async def _admitted(engine: "Engine", socket: WebSocket, line: Line, workspace: str | None) -> Session | None:
    """None where the client left before it began."""
    query = socket.query_params
    for name, value in query.multi_items():
        refuse_unstorable(value, ["query", name])
    if not (agent_id := query.get("agent_id")):
        raise Malformed("The URL names no agent: add ?agent_id=...")
    token = query.get("conversation_signature") or query.get("token") or _bearer(socket)
    asker = Asker(page=socket.headers.get("origin"), has_key=workspace is not None)
    unit, refusal = await _unit(engine, asker, workspace, agent_id, token)
    # The SDKs write first, and read no reason where they could not: so one who is refused may speak, too.
    frame = await _first(engine, line)
    if refusal is not None:
        raise refusal
    if frame is None or unit is None:
        return None
    return await _begun(engine, unit, socket, line, agent_id, token, brought(frame))


async def _unit(
    engine: "Engine", asker: Asker, workspace: str | None, agent_id: str, token: str | None
) -> tuple[Unit | None, ApiError | None]:
    """Where the agent is at home; or why this client may not come in."""
    try:
        if workspace is None:
            workspace = await engine.database.read(lambda db: home_of(db, agent_id))
        unit = engine.unit(workspace, asker)
        await unit.read(lambda tx: check_door(tx, agent_id, token))
    except ApiError as refusal:
        return None, refusal
    return unit, None


async def _begun(
    engine: "Engine", unit: Unit, socket: WebSocket, line: Line, agent_id: str, token: str | None, brought: Brought
) -> Session:
    made = await unit.read(lambda tx: plan(tx, agent_id, token, brought))
    line.events = events_of(made)
    # Only who holds the key may say that this is a call: a stranger would get the tools that dial.
    on_phone = unit.asker.has_key and of_a_call(brought.data["dynamic_variables"])
    cast = RoleLoader(unit, agent_id, made.override, on_phone=on_phone)
    role = await cast.role(agent_id)
    told: Json = brought.data.get("source_info") or {}
    query = socket.query_params
    source = told.get("source") or query.get("source"), told.get("version") or query.get("version")
    record = Record(unit, made, role, engine.holder, source)
    session = Session(line, record, role, cast, engine.sleep)
    await record.begin()
    await line.send(greeting(made.conversation_id, made.config))
    return session


async def _first(engine: "Engine", line: Line) -> Json | None:
    """What the client brings along; None where it left. Raises TimeoutError."""
    found: list[Json | None] = []

    async def read() -> None:
        for _ in range(_BEFORE):
            message = await line.receive()
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
        except Malformed as exc:  # raised below, as itself and not in a group
            wrong.append(exc)
        tasks.cancel_scope.cancel()
    if wrong:
        raise wrong[0]
    if not found:
        raise TimeoutError
    return found[0]


def _bearer(socket: WebSocket) -> str | None:
    """The token that a browser can only send as the name of a protocol."""
    offered: list[str] = socket.scope.get("subprotocols") or []
    return next((name.removeprefix(BEARER) for name in offered if name.startswith(BEARER)), None)
