"""Routes from model names to endpoints: the endpoint of the settings, and routes by name from a file."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from ...net.guard import AllowList
from ...net.http import AsyncClient, Timeout, TransportError, http_client
from ...net.pinned import guarded_client
from ...settings import SettingError, Settings
from ..dialogue.cascade import ATTEMPTS, Cascade, Link
from ..dialogue.chat_completions import ChatCompletions
from ..dialogue.llm import LLM, LLMSettings
from .names import BACKUPS, keeps_nothing
from .templates import TEMPLATES

REACH_SECONDS = 5.0
_WHERE = "CALLWRIGHT_LLM_BASE_URL or CALLWRIGHT_LLM_ROUTES"
_KEY = "CALLWRIGHT_LLM_API_KEY, or its api_key in CALLWRIGHT_LLM_ROUTES"


class Route(BaseModel):
    """One entry of the routes file: an endpoint, and the name that the model has there."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    base_url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+$")]
    model: str | None = None
    api_key: SecretStr = SecretStr("")
    template: str | None = None
    """The name of a template in `templates.py`, which provides the base URL."""
    account: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")] | None = None

    @property
    def refuses(self) -> frozenset[str]:
        return TEMPLATES[self.template].refuses if self.template else frozenset()


@dataclass(frozen=True)
class Patience:
    """The limits for one answer of a model: attempts, seconds without a new piece, and seconds in all."""

    attempts: int = ATTEMPTS
    silence_seconds: float = LLMSettings.silence_seconds
    answer_seconds: float = LLMSettings.answer_seconds


@dataclass
class Models:
    """The language models of this installation. `for_agent` returns the model for an agent's `llm`, or None."""

    routes: dict[str, Route]
    proxy_url: str | None = None
    patience: Patience = Patience()
    _guarded: dict[AllowList, AsyncClient] = field(default_factory=dict[AllowList, AsyncClient])
    _built: dict[tuple[str, str, bool], LLM] = field(default_factory=dict[tuple[str, str, bool], LLM])

    def for_agent(self, llm: str, *, zero_retention: bool = False, tenant: bool = False) -> LLM | None:
        """The model with its backups, or None if no route leads to any of them.

        Backups are models with a route by name; the route `*` does not count. Under zero retention only backups that
        retain no data are used. `tenant`: the agent belongs to a tenant, so errors do not show where the operator's
        models are.
        """
        backups = [name for name in BACKUPS if keeps_nothing(name) or not zero_retention]
        own = [llm] if self._name_of_route(llm) is not None else []
        links: dict[tuple[str, str], Link] = {}
        for name in (*own, *(name for name in backups if self._name_of_route(name) not in (None, "*"))):
            route = self.routes[self._name_of_route(name) or "*"]
            model = route.model or name
            # The same model at the same endpoint is one link, even if several names lead to it.
            links.setdefault((_plain(route.base_url), model), partial(self._at, route, model, tenant))
        return self.cascade(list(links.values())) if links else None

    def cascade(self, links: Sequence[Link]) -> Cascade:
        return Cascade(links, attempts=self.patience.attempts)

    async def aclose(self) -> None:
        for client in [*self._guarded.values(), *([self.client] if "client" in self.__dict__ else [])]:
            await client.aclose()

    def guarded(self, allow: AllowList) -> AsyncClient:
        """The HTTP client for endpoints named by agents: it calls no address that the guard refuses."""
        if (client := self._guarded.get(allow)) is None:
            client = self._guarded[allow] = guarded_client(
                allow, proxy_url=self.proxy_url, longest=self.patience.answer_seconds
            )
        return client

    @cached_property
    def client(self) -> AsyncClient:
        return http_client(proxy_url=self.proxy_url)

    def _at(self, route: Route, model: str, discreet: bool) -> LLM:
        """The model at a route, made on first use and kept: it remembers the parameters that its endpoint refuses."""
        key = _plain(route.base_url), model, discreet
        if (built := self._built.get(key)) is None:
            settings = LLMSettings(
                base_url=route.base_url,
                model=model,
                api_key=route.api_key,
                silence_seconds=self.patience.silence_seconds,
                answer_seconds=self.patience.answer_seconds,
                refuses=route.refuses,
                discreet=discreet,
            )
            built = self._built[key] = ChatCompletions(settings, self.client)
        return built

    def _name_of_route(self, llm: str) -> str | None:
        """The name of the route for a model: the exact name, else the longest matching prefix that ends in `*`."""
        if llm in self.routes:
            return llm
        return max((n for n in self.routes if n.endswith("*") and llm.startswith(n[:-1])), key=len, default=None)


def models_of(settings: Settings) -> Models:
    """The models of the settings and the routes file. Raises SettingError for an invalid routes file."""
    routes = _read(settings.llm_routes) if settings.llm_routes else {}
    if settings.llm_base_url:
        key = SecretStr(settings.llm_api_key or "")
        routes.setdefault("*", Route(base_url=settings.llm_base_url, model=settings.llm_model, api_key=key))
    patience = Patience(settings.llm_attempts, settings.llm_silence_seconds, settings.llm_answer_seconds)
    return Models(routes, settings.proxy_url, patience)


async def reach(base_url: str, api_key: str | None, proxy_url: str | None) -> str | None:
    """Check that an endpoint answers. Returns None if it does, else a message that says what is wrong."""
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


def _plain(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix("/chat/completions").rstrip("/")


def _read(file: Path) -> dict[str, Route]:
    try:
        found: dict[str, Any] = dict(json.loads(file.read_text(encoding="utf-8")).items())
        return {name: Route.model_validate(_from_template(name, route)) for name, route in found.items()}
    except SettingError:
        raise
    except (ValueError, AttributeError, ValidationError, OSError):
        raise SettingError(
            'CALLWRIGHT_LLM_ROUTES must hold {"<model, or prefix*>": {"base_url": "https://...", "model": "...",'
            ' "api_key": "..."}}; model and api_key may be left out, and "template": "<name>" may stand for base_url.'
        ) from None


def _from_template(name: str, route: dict[str, Any]) -> dict[str, Any]:
    """A route with the base URL of its template, unless it has its own."""
    chosen = route.get("template")
    if chosen is None:
        return route
    if not isinstance(chosen, str) or chosen not in TEMPLATES:
        raise SettingError(f"CALLWRIGHT_LLM_ROUTES: the template of {name!r} must be one of {', '.join(TEMPLATES)}.")
    base_url = TEMPLATES[chosen].base_url
    if "base_url" not in route and "{account}" in base_url and not route.get("account"):
        raise SettingError(f"CALLWRIGHT_LLM_ROUTES: {name!r} needs an account, the id that {chosen} gave yours.")
    return {"base_url": base_url.replace("{account}", str(route.get("account"))), **route}
