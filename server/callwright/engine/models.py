"""Which endpoint answers for which model name: the settings' own, and routes by name from a file."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ..net.http import AsyncClient, Timeout, TransportError, http_client
from ..settings import SettingError, Settings
from .dialogue.chat_completions import ChatCompletions
from .dialogue.llm import LLM, LLMSettings

REACH_SECONDS = 5.0
_WHERE = "CALLWRIGHT_LLM_BASE_URL or CALLWRIGHT_LLM_ROUTES"
_KEY = "CALLWRIGHT_LLM_API_KEY, or its api_key in CALLWRIGHT_LLM_ROUTES"


class Route(BaseModel):
    """One entry of the routes file: an endpoint, and the name that the model has there."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    model: str | None = None
    api_key: SecretStr = SecretStr("")


@dataclass
class Models:
    """`for_agent` answers the model of an agent's `llm`; None where nothing is configured for it."""

    routes: dict[str, Route]
    proxy_url: str | None = None
    _built: dict[tuple[str, str, bool], LLM] = field(default_factory=dict[tuple[str, str, bool], LLM])

    def for_agent(self, llm: str, *, tenant: bool = False) -> LLM | None:
        """`tenant`: the agent is somebody's who uses the operator's models, and is not told where they are."""
        route = self._route(llm)
        if route is None:
            return None
        model = route.model or llm
        # Kept, because the client of an endpoint remembers which parameters that refuses.
        key = (route.base_url, model, tenant)
        if (built := self._built.get(key)) is None:
            settings = LLMSettings(base_url=route.base_url, model=model, api_key=route.api_key, discreet=tenant)
            built = self._built[key] = ChatCompletions(settings, self.client)
        return built

    async def aclose(self) -> None:
        if "client" in self.__dict__:
            await self.client.aclose()

    @cached_property
    def client(self) -> AsyncClient:
        return http_client(proxy_url=self.proxy_url)

    def _route(self, llm: str) -> Route | None:
        """The exact name, else the longest prefix that ends in `*`."""
        if llm in self.routes:
            return self.routes[llm]
        prefixes = [name for name in self.routes if name.endswith("*") and llm.startswith(name[:-1])]
        return self.routes[max(prefixes, key=len)] if prefixes else None


def models_of(settings: Settings) -> Models:
    """Raises SettingError where the routes file is not what it should be."""
    routes = _read(settings.llm_routes) if settings.llm_routes else {}
    if settings.llm_base_url:
        key = SecretStr(settings.llm_api_key or "")
        routes.setdefault("*", Route(base_url=settings.llm_base_url, model=settings.llm_model, api_key=key))
    return Models(routes, settings.proxy_url)


async def reach(base_url: str, api_key: str | None, proxy_url: str | None) -> str | None:
    """Whether the endpoint answers at all; None where it does, else what is wrong."""
    headers = {"authorization": f"Bearer {api_key}"} if api_key else {}
    base = base_url.removesuffix("/chat/completions")
    async with http_client(proxy_url=proxy_url, timeout=Timeout(REACH_SECONDS)) as client:
        try:
            answer = await client.get(f"{base}/models", headers=headers)
        except TransportError as exc:
            return f"{base} does not answer ({type(exc).__name__}). Start it, or correct {_WHERE}."
    if answer.status_code in (401, 403):
        return f"{base} refuses the key ({answer.status_code}). Correct {_KEY}."
    return None


def _read(file: Path) -> dict[str, Route]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        return {name: Route.model_validate(route) for name, route in found.items()}
    except (ValueError, AttributeError, ValidationError, OSError):
        raise SettingError(
            'CALLWRIGHT_LLM_ROUTES must hold {"<model, or prefix*>": {"base_url": "https://...", "model": "...",'
            ' "api_key": "..."}}; model and api_key may be left out.'
        ) from None
