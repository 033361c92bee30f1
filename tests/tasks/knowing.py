"""A client that knows the tasks extension, and rehearsals that last until the language model is told to go on."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

from mcp import Client
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from mcp.types import CallToolResult, Request, RequestParams, Result
from pydantic import ConfigDict, Field, TypeAdapter

from callwright.app import App
from callwright.http_server.serving import Listen, mcp_app
from callwright.mcp_server.server import build_server
from tests.dialogue.llm_peer import Peer, Say, peer
from tests.peers import serving
from tests.transports import MODERN, facts, settings

Json = dict[str, Any]
TRANSPORTS = ("memory", "http", "stateless")
_JSON = TypeAdapter(Json)


class TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")
    input_responses: Json | None = Field(alias="inputResponses", default=None)


class TaskRequest(Request[TaskParams, str]):
    name_param: ClassVar[str | None] = "taskId"
    method: str
    params: TaskParams


class Created(Result):
    model_config = ConfigDict(extra="allow")

    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")


class Tasks(ClientExtension):
    """Its client gets answers as ever; `created` tells which of them were those of tasks."""

    identifier = "io.modelcontextprotocol/tasks"

    def __init__(self) -> None:
        self.created: list[Created] = []

    def claims(self) -> Sequence[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Created, resolve=self._answer)]

    async def _answer(self, created: Created, context: ClaimContext) -> CallToolResult:
        self.created.append(created)
        task = await ended(context.session, created.task_id)
        return CallToolResult.model_validate(task["result"])


async def ask(session: Any, method: str, task_id: str, **more: Any) -> Json:
    """`tasks/<method>`, with the header that goes with it."""
    params = TaskParams.model_validate({"taskId": task_id, **more})
    found = await session.send_request(TaskRequest(method=f"tasks/{method}", params=params), _JSON)
    del found["_meta"]  # the server's name
    return found


async def ended(session: Any, task_id: str) -> Json:
    return await until(session, task_id, "completed", "failed", "cancelled")


async def until(session: Any, task_id: str, *statuses: str) -> Json:
    while (task := await ask(session, "get", task_id))["status"] not in statuses:
        pass
    return task


async def task_of(client: Client, tool: str, arguments: Json) -> str:
    """Id of the task that this call becomes."""
    created = await client.session.call_tool(tool, arguments, allow_claimed=True)
    assert isinstance(created, Created), created
    return created.task_id


def knowing(server: Any, mode: str = MODERN, **kw: Any) -> Client:
    return Client(server, mode=mode, extensions=[Tasks()], **kw)


@asynccontextmanager
async def reached(app: App, transport: str) -> AsyncGenerator[Any]:
    """Where clients reach the server of `app`."""
    if transport == "memory":
        yield build_server(app)
        return
    async with serving(mcp_app(app, Listen(token=False, stateless=transport == "stateless")), lifespan="on") as url:
        yield f"{url}/mcp"


@asynccontextmanager
async def stalling(home: Path, **chosen: Any) -> AsyncGenerator[tuple[App, Peer]]:
    """An app that waits for no long call, and its language model, which stalls in the midst of its first answer."""
    async with peer(lambda _: Say("Well, we open at nine.", stalls=True)) as at:
        yield app_at(at, home, **chosen), at


def app_at(at: Peer, home: Path, *, clock: Any = None, **chosen: Any) -> App:
    told = {"llm_base_url": at.base_url, "llm_model": "m", "long_call_seconds": 0} | chosen
    return App(settings(home, **told), "embedded", **({"clock": clock} if clock else {}))


async def rehearsal(client: Client) -> Json:
    """Arguments of a rehearsal of a new agent."""
    agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Be brief."}))
    return {"agent_id": agent["agent_id"], "caller": "Ask for the hours.", "max_turns": 2}
