"""MCP server with resources, prompts, skills and completions, all of which are loaded on first use."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from mcp.server import MCPServer
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.helper_types import ReadResourceContents
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    Annotations,
    CompleteRequestParams,
    CompleteResult,
    Completion,
    GetPromptResult,
    PromptMessage,
    PromptReference,
    TextContent,
)
from mcp.types import Prompt as WirePrompt
from mcp.types import PromptArgument as WireArgument
from mcp.types import Resource as WireResource
from mcp.types import ResourceTemplate as WireTemplate
from pydantic import ValidationError

from . import apps
from .resources import PLACES, Place

if TYPE_CHECKING:
    from ..services import Services, Serving

SCHEME, SKILL = "callwright://", "skill://"
FOR_THE_MODEL = Annotations(audience=["user", "assistant"])


class GuidedServer(MCPServer[Any]):
    def __init__(self, app: "Serving", reachable: Collection[str], name: str, **given: Any) -> None:
        """`reachable`: names of the tools that a client may call. Resources of other tools are not offered either."""
        super().__init__(name, **given)
        self._app = app
        self._places = [place for place in PLACES if place.tool in reachable]
        self._reachable = frozenset(reachable)
        self._lowlevel_server.add_request_handler("completion/complete", CompleteRequestParams, self._complete)

    async def run_stdio_async(self) -> None:
        from .stdio import standard_streams

        low = self._lowlevel_server
        with standard_streams() as transport:
            async with transport as (incoming, outgoing):
                await low.run(incoming, outgoing, low.create_initialization_options())

    async def list_resources(self) -> list[WireResource]:
        from .prompts import GUIDES, description_of
        from .skills import uri_of

        places = [WireResource(uri=place.uri, **_told(place)) for place in self._places if "{" not in place.uri]
        skills = [
            WireResource(
                uri=uri_of(guide),
                name=guide.skill,
                title=guide.title,
                description=description_of(guide),
                mime_type="text/markdown",
                annotations=FOR_THE_MODEL,
            )
            for guide in GUIDES
        ]
        view = WireResource(
            uri=apps.URI,
            name="view",
            title="Conversation or test run",
            description="Shows a transcript with its judgement, or what a test run found, in hosts with MCP Apps.",
            mime_type=apps.MIME_TYPE,
            _meta=apps.META,
        )
        return [*places, *skills, view, *await super().list_resources()]

    async def list_resource_templates(self) -> list[WireTemplate]:
        own = [WireTemplate(uri_template=place.uri, **_told(place)) for place in self._places if "{" in place.uri]
        return [*own, *await super().list_resource_templates()]

    async def read_resource(self, uri: Any, context: Any = None) -> Any:
        wanted = str(uri)
        if wanted.startswith(SKILL):
            return _skill(wanted)
        if wanted == apps.URI:
            return [ReadResourceContents(content=apps.page(), mime_type=apps.MIME_TYPE, meta=apps.META)]
        if not wanted.startswith(SCHEME):
            return await super().read_resource(uri, context)
        place, ids = _found(wanted, self._places)
        text = await _text(place, ids, self._app.of(context.request_context.request if context else None))
        return [ReadResourceContents(content=text, mime_type=place.mime_type)]

    async def list_prompts(self) -> list[WirePrompt]:
        from .prompts import GUIDES, description_of

        own = [
            WirePrompt(
                name=guide.name,
                title=guide.title,
                description=f"{description_of(guide)}.",
                arguments=[
                    WireArgument(name=a.name, description=a.description, required=a.required) for a in guide.arguments
                ],
            )
            for guide in GUIDES
        ]
        return [*own, *await super().list_prompts()]

    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None, context: Any = None) -> Any:
        from .prompts import BY_NAME, WrongArguments, description_of

        guide = BY_NAME.get(name)
        if guide is None:
            known = {prompt.name for prompt in await self.list_prompts()}
            if name not in known:
                raise MCPError(INVALID_PARAMS, f"No prompt {name!r}. There are: {', '.join(sorted(known))}.")
            return await super().get_prompt(name, arguments, context)
        try:
            text = guide.prompt(arguments or {})
        except WrongArguments as exc:
            raise MCPError(INVALID_PARAMS, str(exc)) from None
        message = PromptMessage(role="user", content=TextContent(type="text", text=text))
        return GetPromptResult(description=f"{description_of(guide)}.", messages=[message])

    async def _complete(self, ctx: ServerRequestContext[Any, Any], params: CompleteRequestParams) -> CompleteResult:
        from .completions import CHOICES, MOST, SOURCES

        argument, typed = params.argument.name, params.argument.value
        known = dict((params.context.arguments if params.context else None) or {})
        if argument not in _arguments(params.ref):
            return CompleteResult(completion=Completion(values=[], total=0, has_more=False))
        values = CHOICES.get(argument, ())
        if argument in CHOICES:
            values = [choice for choice in values if choice.startswith(typed.lower())]
        elif argument in SOURCES and (tool := SOURCES[argument][0]) in self._reachable:
            app = self._app.of(ctx.request)
            values = await _offered(argument, typed, known, app) if _refusal(tool, app) is None else []
        shown = list(dict.fromkeys(values))
        return CompleteResult(completion=Completion(values=shown[:MOST], has_more=len(shown) > MOST))


async def _text(place: Place, ids: dict[str, str], app: "Services") -> str:
    from ..contract.errors import ApiError, NotFound
    from .resource_reader import READERS, changes

    if refusal := _refusal(place.tool, app):
        raise ResourceError(refusal)
    try:
        if place.name == "changes":
            return await changes(await app.ledger())
        return await READERS[place.name](await app.api(), ids)
    except (NotFound, ValidationError):
        raise ResourceNotFoundError(
            f"Nothing at {place.uri}: no such id. {place.tool} or its list shows ids."
        ) from None
    except ApiError as exc:
        raise ResourceError(str(exc)) from exc


def _refusal(tool: str, app: "Services") -> str | None:
    """The reason why the resource of this tool may not be read; None if it may.

    The tool's scope and approval policy apply to the resource as well, but a read of a resource cannot ask a person.
    """
    from ..accounts.scopes import scope_of_each

    if not app.may(scope := scope_of_each()[tool]):
        return f"This needs the scope {scope}, which this client's token does not have."
    if app.policy.of_tool(tool, "read") != "auto_approved":
        return f"Reading asks a person here: use {tool}, which asks."
    return None


async def _offered(argument: str, typed: str, known: dict[str, str], app: "Services") -> list[str]:
    from ..contract.errors import ApiError
    from .completions import SOURCES

    try:
        return await SOURCES[argument][1](await app.api(), typed, known)
    except (ApiError, ValidationError):
        return []  # a completion reports no errors; the call itself will report them


def _told(place: Place) -> dict[str, Any]:
    """The fields of a place in a resource list, besides its URI."""
    return {
        "name": place.name,
        "title": place.title,
        "description": place.description,
        "mime_type": place.mime_type,
        "annotations": FOR_THE_MODEL,
    }


def _arguments(ref: Any) -> set[str]:
    """Names that can be completed: the arguments of a prompt of this server, or the variables of a template."""
    from .prompts import BY_NAME

    if isinstance(ref, PromptReference):
        return {argument.name for argument in BY_NAME[ref.name].arguments} if ref.name in BY_NAME else set()
    template = next((place.uri for place in PLACES if place.uri == str(ref.uri)), "")
    return {part.strip("{}") for part in template.split("/") if part.startswith("{")}


def _found(uri: str, places: list[Place]) -> tuple[Place, dict[str, str]]:
    """The place of a URI, and the ids in it. An id holds no slash, so each place has its own number of segments."""
    from urllib.parse import unquote

    segments = uri.removeprefix(SCHEME).split("/")
    for place in places:
        pattern = place.uri.removeprefix(SCHEME).split("/")
        if len(pattern) == len(segments):
            pairs = list(zip(pattern, segments, strict=True))
            if all(said.startswith("{") or said == given for said, given in pairs):
                return place, {said.strip("{}"): unquote(given) for said, given in pairs if said.startswith("{")}
    known = ", ".join(place.uri for place in places)
    raise ResourceNotFoundError(f"Unknown resource. There are: {known}.")


def _skill(uri: str) -> Iterable[ReadResourceContents]:
    from .prompts import text_of
    from .skills import guide_at

    guide = guide_at(uri)
    if guide is None:
        raise ResourceNotFoundError("Unknown skill; skills/list and resources/list name them.")
    return [ReadResourceContents(content=text_of(guide), mime_type="text/markdown")]
