"""The language model of an agent: a model with a route in this installation, or the agent's own endpoint.

Requests to an agent's own endpoint are retried as often as those to any model, but no backup model replaces it. Its
key and headers are resolved for each request, and its address passes the guard in `net/`.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from ...contract.errors import ApiError, BadRequest
from ...contract.merge import Json
from ...contract.paths import at
from ..dialogue.agent import Agent
from ..dialogue.chat_completions import ChatCompletions
from ..dialogue.llm import LLM, LLMSettings, ModelFailed, Piece, Request, RequestContext
from ..dialogue.variables import written
from ..models.names import CUSTOM_LLM, keeps_nothing
from ..store.secrets import reveal
from ..unit import Unit


def llm_of(unit: Unit, agent: Agent, platform_settings: Json) -> LLM | None:
    """The agent's model, or None if no route leads to it. Raises BadRequest if zero retention forbids the model."""
    zero_retention = bool(platform_settings["privacy"].get("zero_retention_mode"))
    if zero_retention and not keeps_nothing(agent.llm):
        raise BadRequest(f"Zero retention allows only models that keep nothing, and {agent.llm!r} is none of them.")
    if agent.llm != CUSTOM_LLM:
        return unit.models.for_agent(agent.llm, zero_retention=zero_retention, tenant=unit.is_tenants)
    opened = bool(at(platform_settings, "overrides", "custom_llm_extra_body"))
    own = _OwnEndpoint(unit, agent.custom_llm or {}, takes_extra_body=opened)
    return unit.models.cascade([lambda: own])


@dataclass(frozen=True)
class _OwnEndpoint:
    unit: Unit
    config: Mapping[str, Any]
    """The agent's `prompt.custom_llm`."""
    takes_extra_body: bool
    refused: set[str] = field(default_factory=set[str])

    async def stream(self, request: Request) -> AsyncGenerator[Piece]:
        """Stream the pieces of an answer. Raises ModelFailed, with a message that holds no secret."""
        try:
            llm = ChatCompletions(
                await self._settings(request.session or RequestContext()),
                self.unit.models.guarded(self.unit.allow),
                refused=self.refused,
            )
            async with aclosing(llm.stream(request)) as pieces:
                async for piece in pieces:
                    yield piece
        except ModelFailed as failed:
            if failed.trouble == "llm_error":
                failed.trouble = "custom_llm_error"
            raise

    async def _settings(self, session: RequestContext) -> LLMSettings:
        config, patience = self.config, self.unit.models.patience
        if not config.get("url"):
            raise ModelFailed(f"The agent's model is {CUSTOM_LLM}, but its custom_llm has no url.")
        url = urlsplit(str(config["url"]))
        query = dict(parse_qsl(url.query))
        given: Mapping[str, str | Mapping[str, str]] = config.get("request_headers") or {}
        headers = {name: await self._header(name, value, session) for name, value in given.items()}
        key = await self._secret(config["api_key"]["secret_id"]) if config.get("api_key") else ""
        if version := config.get("api_version"):  # Azure takes the version in the query, the key in the header api-key
            query["api-version"] = str(version)
            headers, key = ({"api-key": SecretStr(key), **headers} if key else headers), ""
        return LLMSettings(
            base_url=url._replace(query="", fragment="").geturl(),
            model=config.get("model_id") or CUSTOM_LLM,
            api_key=SecretStr(key),
            silence_seconds=patience.silence_seconds,
            answer_seconds=patience.answer_seconds,
            headers=headers,
            query=query,
            body=self._body(session),
            known_as=CUSTOM_LLM,
        )

    def _body(self, session: RequestContext) -> dict[str, Any]:
        body = {
            "user_id": session.user_id,
            "elevenlabs_extra_body": session.extra_body if self.takes_extra_body else None,
        }
        return {name: value for name, value in body.items() if value}

    async def _header(self, name: str, value: str | Mapping[str, str], session: RequestContext) -> SecretStr:
        """The value of a header: a text, a secret, or the current value of a dynamic variable. Raises ModelFailed."""
        if isinstance(value, str):
            text = value
        elif (secret_id := value.get("secret_id")) is not None:
            text = await self._secret(secret_id)
        else:
            variable = value["variable_name"]
            if variable not in session.variables:
                raise ModelFailed(f"The header {name} of {CUSTOM_LLM} needs the dynamic variable {variable!r}.")
            text = written(session.variables[variable])
        if not (text.isascii() and text.isprintable()):
            raise ModelFailed(
                f"The value for the header {name} of {CUSTOM_LLM} has characters that no header may have."
            )
        return SecretStr(text)

    async def _secret(self, secret_id: str) -> str:
        try:
            return await self.unit.read(lambda tx: reveal(tx, secret_id))
        except ApiError as why:
            raise ModelFailed(f"The secret of {CUSTOM_LLM} cannot be used: {why}") from None
