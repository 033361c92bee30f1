"""What the tests of the embedded platform share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from httpx2 import AsyncClient, Response
from pydantic import BaseModel

from callwright.api.client import ApiClient
from callwright.contract.agents import CreateAgent, GetAgent, UpdateAgent
from callwright.contract.errors import ApiError
from callwright.contract.knowledge_base import CreateTextDocument
from callwright.contract.operation import Operation
from callwright.contract.secrets import CreateSecret
from callwright.net.asgi import ASGITransport

JSON = dict[str, Any]


@asynccontextmanager
async def http(asgi: Any, **headers: str) -> AsyncGenerator[AsyncClient]:
    """A plain HTTP client of an ASGI app."""
    async with AsyncClient(transport=ASGITransport(asgi), base_url="http://engine", headers=headers) as client:
        yield client


async def refused(api: ApiClient, op: Operation[Any]) -> ApiError:
    """The error that an operation must answer."""
    try:
        answer = await api.send(op)
    except ApiError as exc:
        return exc
    raise AssertionError(f"{type(op).__name__} was not refused: {answer!r}")


def problems(answer: Response) -> list[str]:
    """`place: words` of each problem of a request that must have been refused with 422."""
    assert answer.status_code == 422, answer.text
    for problem in answer.json()["detail"]:
        assert problem.keys() == {"loc", "msg", "type"}
        assert problem["loc"][0] in ("body", "query", "path"), problem
    return [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in answer.json()["detail"]]


async def agent(api: ApiClient, config: JSON | None = None, **rest: Any) -> str:
    """The id of a new agent."""
    made = await api.send(CreateAgent.model_validate({"conversation_config": config or {}, **rest}))
    return made.agent_id


async def read(api: ApiClient, agent_id: str) -> JSON:
    """An agent as it is on the wire."""
    return dump(await api.send(GetAgent(agent_id=agent_id)))


async def change(api: ApiClient, agent_id: str, **patch: Any) -> JSON:
    return dump(await api.send(UpdateAgent.model_validate({"agent_id": agent_id, **patch})))


async def text(api: ApiClient, name: str = "Handbook", content: str = "Open from nine.") -> str:
    """The id of a new document."""
    return (await api.send(CreateTextDocument(text=content, name=name))).id


async def secret(api: ApiClient, name: str = "CRM", value: str = "s3cr3t-value") -> str:
    """The id of a new secret."""
    made = await api.send(CreateSecret.model_validate({"type": "new", "name": name, "value": value}))
    return made.secret_id


def knowing(document_id: str, **prompt: Any) -> JSON:
    """A configuration whose prompt names a document."""
    locator = {"type": "text", "name": "Handbook", "id": document_id}
    return {"agent": {"prompt": {"knowledge_base": [locator], **prompt}}}


def workflow(node: JSON) -> JSON:
    """A workflow that goes from its start to one node, `n`, at once."""
    edge = {"source": "start", "target": "n", "forward_condition": {"type": "unconditional"}}
    return {"nodes": {"start": {"type": "start"}, "n": node}, "edges": {"e": edge}}


def dump(model: BaseModel) -> JSON:
    """An answer as it was on the wire."""
    return model.model_dump(mode="json", exclude_unset=True)
