"""Make tools of functions: hints, injected API client, checked arguments, approval, errors that a model may read."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, TypeVar, cast

import anyio
from mcp.server.mcpserver import Context, Resolve
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp.types import CallToolResult, InputRequiredResult, ResourceLink, TextContent, ToolAnnotations
from mcp.types import Tool as PublishedTool
from pydantic import ValidationError

from ..accounts.scopes import scope_of
from ..api.client import ApiClient
from ..api.shared import SharedReads
from ..approval.ask import Facts, approve
from ..approval.call import Api, Call, NeedsApproval, WouldSend
from ..approval.open_hosts import warning
from ..approval.policy import TOKEN
from ..approval.question import Preview, question_of
from ..contract.errors import ApiError
from ..contract.operation import Effect, Operation
from ..replies.names import names_in
from ..replies.parts import PARTS, parts_of
from ..replies.text import LIMIT, fitted, visible
from ..replies.views import Page, View, render
from ..services import Services, Serving
from ..settings import SettingError
from ..tasks.task import current
from .arguments import DRY_RUN, decoded, published, sealed, spoken, takes_document, untitled
from .call_metrics import CallMetrics
from .results import Changed, Unknown, answering, planned

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])
P = TypeVar("P", bound=Callable[..., Awaitable[str]])

HEARTBEAT_SECONDS = 2.0
_CHANGED = "Not done: what this depends on changed while it was approved. Call again to ask anew."
_STRONGEST_FIRST: tuple[Effect, ...] = ("dial", "delete", "grant", "secret", "update", "create", "read")


def services(ctx: Context[Any]) -> Services:
    """The services of a call; over HTTP they may depend on the principal."""
    app, request = ctx.request_context.lifespan_context, ctx.request_context.request
    return cast(Services, app) if request is None else cast(Serving, app).of(request)


async def _injected() -> Api:
    raise RuntimeError("an Api comes from the call, never from the SDK's resolver")


PlatformApi = Annotated[Api, Resolve(_injected)]
"""Type of a tool's first parameter: invisible to the model, injected for each call."""


@dataclass(frozen=True)
class Spec:
    """One tool: its function, and the operations that it may send."""

    fn: Callable[..., Awaitable[Any]]
    title: str
    sends: tuple[type[Operation[Any]], ...]
    long: bool = False
    default: bool = True
    writes_file: bool = False
    parts: bool = False
    stops: bool = False
    words: str = ""

    @property
    def name(self) -> str:
        return self.fn.__name__

    @cached_property
    def effect(self) -> Effect:
        """The strongest effect of the operations that it may send."""
        effects = {op.effect for op in self.sends}
        found: list[Effect] = [effect for effect in _STRONGEST_FIRST if effect in effects]
        return found[0] if found else "read"

    @property
    def plans(self) -> bool:
        """Whether it has the argument `dry_run`, which only shows what the call would change."""
        return self.effect in ("update", "delete") or any(op.method in ("PUT", "PATCH") for op in self.sends)

    @property
    def hints(self) -> ToolAnnotations:
        strongest = [op for op in self.sends if op.effect == self.effect]
        replaces = self.effect in ("update", "delete", "dial") or any(op.method in ("PUT", "PATCH") for op in strongest)
        makes = self.sends[:1] and self.sends[0].effect == "create"  # repeating a create mostly makes a second one
        return ToolAnnotations(
            read_only_hint=self.effect == "read" and not (self.writes_file or self.stops),
            destructive_hint=self.stops or (self.effect != "read" and replaces),
            idempotent_hint=(self.effect in ("read", "update", "delete") and not makes)
            or (self.effect == "secret" and replaces),
            open_world_hint=self.effect == "dial",
        )


@dataclass(frozen=True)
class Toolset:
    name: str
    description: str
    specs: dict[str, Spec] = field(default_factory=dict[str, Spec])
    previews: dict[type[Operation[Any]], Preview] = field(default_factory=dict[type[Operation[Any]], Preview])

    def tool(
        self,
        *sends: type[Operation[Any]],
        title: str,
        long: bool = False,
        default: bool = True,
        writes_file: bool = False,
        parts: bool = False,
        stops: bool = False,
        words: str = "",
    ) -> Callable[[F], F]:
        """Make a tool of a function that sends these operations; hints and approval follow from their effects.

        `long`: a call may take more than seconds, so it can become a task, and a client that asked for progress gets
        heartbeats. `default`: the tool is listed if no toolsets are configured; hosts take about 40 tools, so only the
        everyday tools are. `stops`: the tool ends work of this server, so it is not read-only, whatever it sends.
        `writes_file`: the tool makes a new file on this machine, so it is not read-only, even if it only reads from the
        platform. `parts`: the tool can also return parts of the first operation's answer, which its view abridges.
        `words`: what people say when they want it, in their languages, where its name and description do not say it.
        """

        def add(fn: F) -> F:
            self.specs[fn.__name__] = Spec(fn, title, sends, long, default, writes_file, parts, stops, words)
            return fn

        return add

    def preview(self, op: type[Operation[Any]]) -> Callable[[P], P]:
        """Register the preview of this operation: its effect in facts from the platform, for the approval question."""

        def add(fn: P) -> P:
            self.previews[op] = fn
            return fn

        return add


class FunctionTool:
    """A tool function: its schema as the SDK derives it, and its calls through approval and error handling."""

    def __init__(self, spec: Spec, toolset: Toolset) -> None:
        sdk = Tool.from_function(spec.fn, description=inspect.getdoc(spec.fn))
        self._spec, self._previews, self._context_kwarg = spec, toolset.previews, sdk.context_kwarg
        self._scope = scope_of(toolset.name, spec.effect)
        arguments = sealed(sdk.fn_metadata.arg_model, plans=spec.plans, parts=spec.parts)
        self._function = sdk.fn_metadata.model_copy(update={"arg_model": arguments})
        self._api_kwarg = next(iter(sdk.resolved_params), None)

    def published(self) -> PublishedTool:
        spec, output = self._spec, self._function.output_schema
        schema = published(self._function.arg_model.model_json_schema())
        added = {
            "updates": spec.effect == "update",
            "plans": spec.plans,
            "takes_document": spec.effect != "read" and takes_document(schema),
            "parts": spec.parts,
            "long": spec.long,
        }
        return PublishedTool(
            name=spec.name,
            title=spec.title,
            description=inspect.getdoc(spec.fn),
            input_schema=schema,
            output_schema=output and answering(untitled(output), **added),
            annotations=spec.hints,
        )

    async def call(self, arguments: dict[str, Any], ctx: Context[Any]) -> CallToolResult | InputRequiredResult:
        """Run a call from end to end. The text of each error is bounded, and free of invisible characters."""
        app, spec = services(ctx), self._spec
        counted = CallMetrics(app.metrics, spec.name, spec.effect, app.who)
        try:
            with counted.call() as told:
                return told(await self._call(arguments, ctx, app, counted))
        except UnexpectedToolError:
            raise
        except ToolError as exc:
            raise ToolError(visible(str(exc))[:LIMIT]) from exc

    async def _call(
        self, arguments: dict[str, Any], ctx: Context[Any], app: Services, counted: CallMetrics
    ) -> CallToolResult | InputRequiredResult:
        """Check arguments, ask for approval, run the tool, shape its result, and turn failures into error texts."""
        spec = self._spec
        if not app.may(self._scope):
            raise ToolError(f"{spec.name} needs the scope {self._scope}, which this client's token does not have.")
        arguments = dict(arguments)
        token = arguments.pop(TOKEN, None) if app.policy.takes_token(spec.name, spec.effect) else None
        known = self._validated(arguments)
        dry_run = bool(known.pop(DRY_RUN, False))
        arguments.pop(DRY_RUN, None)
        try:
            key = app.state_key
        except SettingError as exc:
            raise ToolError(str(exc)) from exc
        call = Call(
            tool=spec.name,
            effect=spec.effect,
            sends=spec.sends,
            arguments=arguments,
            who=app.who,
            platform=app.account,
            policy=app.policy,
            key=key,
            command=app.command,
            ledger=app.ledger,
            told=app.changed,
            page=app.page,
            variables=app.secret_variables,
            dry_run=dry_run,
            given=names_in(known),
        )
        try:
            client = SharedReads(await app.api()) if self._api_kwarg else None
            try:
                return await self._run(known, call, client, ctx)
            except (WouldSend, NeedsApproval) as left:
                if client is None:
                    raise RuntimeError(f"{spec.name} sends something without an Api") from left
                if isinstance(left, WouldSend):
                    question = await self._question(left.op, client, call)
                    return _shown([await planned(left.op, question, call, app.bounds, client)])
                with counted.approval(call) as told:
                    instead = told(await approve(left, self._facts(left.op, client, call), call, token, ctx))
                if instead is not None:
                    return instead
                return await self._run(known, call, client, ctx)
        except NeedsApproval:
            # The tool has read other facts than before while it prepared the operation, so it is not the approved one.
            raise ToolError(_CHANGED) from None
        except ApiError as exc:
            raise ToolError(spoken(exc, began=bool(call.changes))) from exc
        except SettingError as exc:
            # A setting may fail this late, because the resource that it configures is opened at the first call.
            raise ToolError(f"{exc} Mend it, then restart the server.") from exc
        except ValidationError as exc:
            # The model of an operation refused values of the arguments.
            raise ToolError(spoken(exc)) from None
        except (ToolError, MCPError):
            raise
        except Exception as exc:
            raise UnexpectedToolError(f"{spec.name} failed; the server's log has the reason.") from exc

    async def _run(
        self, known: dict[str, Any], call: Call, client: SharedReads | None, ctx: Context[Any]
    ) -> CallToolResult:
        injected: dict[str, Any] = {}
        pulse = Pulse(ctx)
        if self._api_kwarg and client:
            injected[self._api_kwarg] = Api(client, call, pulse)
        if self._context_kwarg:
            injected[self._context_kwarg] = ctx
        paths = known.get(PARTS)
        work = self._spec.fn(**{name: value for name, value in known.items() if name != PARTS}, **injected)
        view = await (_with_heartbeat(work, pulse) if self._spec.long else work)
        if isinstance(view, CallToolResult):
            return view
        if paths:
            read = self._spec.sends[0]
            whole = read.result().dump_python(call.answers[read].result, mode="json", by_alias=True, exclude_unset=True)
            chosen: list[View] = [parts_of(whole, paths)]
            if isinstance(view, Page):
                chosen.append(Page(has_more=view.has_more, next_cursor=view.next_cursor))
            return _shown(chosen)
        views = [cast(View, view)]
        if call.changed:
            views.append(Changed(changed=call.changed))
        if call.unknown:
            views.append(Unknown(unknown=call.unknown))
        return _shown(views)

    def _facts(self, op: Operation[Any], client: SharedReads, call: Call) -> Facts:
        async def facts(*, again: bool) -> str:
            if again:
                client.forget()
            return await self._question(op, client, call)

        return facts

    async def _question(self, op: Operation[Any], client: ApiClient, call: Call) -> str:
        question = await question_of(op, self._previews.get(type(op)), self._spec.title, client)
        return question + warning(op) if call.hosted else question

    def _validated(self, arguments: dict[str, Any]) -> dict[str, Any]:
        model = self._function.arg_model
        try:
            return model.model_validate(decoded(arguments, model)).model_dump_one_level()
        except ValidationError as exc:
            raise ToolError(spoken(exc, model.model_fields)) from None


def _shown(views: list[View]) -> CallToolResult:
    """The tool result that combines these views."""
    facts: dict[str, Any] = {}
    for view in views:
        facts |= view.model_dump(mode="json", exclude_none=True)
    fitting = fitted(facts)
    if fitting is None:
        raise ToolError(f"The reply would be longer than {LIMIT:,} characters. Ask for a smaller page_size.")
    links = [
        ResourceLink(uri=whole.uri, name=whole.title, mime_type=whole.mime_type)
        for view in views
        if (whole := view.whole())
    ]
    text = TextContent(text=visible(render(*views)))
    return CallToolResult(content=[text, *links], structured_content=fitting)


class Pulse:
    """Progress notifications to a client that asked for them; each call is one step. Other clients get none."""

    def __init__(self, ctx: Context[Any]) -> None:
        self._ctx, self._steps, self._task = ctx, 0, current()

    async def __call__(self, said: str) -> None:
        if self._task:
            self._task.say(said)
        await self.beat(said)

    async def beat(self, said: str) -> None:
        """Send a heartbeat, which does not advance the progress."""
        self._steps += 1
        if self._task is None or not self._task.away:
            await self._ctx.report_progress(self._steps, None, said)


async def _with_heartbeat(work: Awaitable[Any], pulse: Pulse) -> Any:
    """Await `work`, with heartbeats in the meantime."""
    outcome: list[Any] = []
    failure: list[Exception] = []

    async def beat() -> None:
        beats = 0
        while True:
            await anyio.sleep(HEARTBEAT_SECONDS)
            beats += 1
            await pulse.beat(f"working for {beats * HEARTBEAT_SECONDS:.0f} s")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beat)
        try:
            outcome.append(await work)
        except Exception as exc:  # raised below, as itself and not in a group
            failure.append(exc)
        tasks.cancel_scope.cancel()
    if failure:
        raise failure[0]
    return outcome[0]
