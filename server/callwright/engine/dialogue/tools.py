"""The tools offered to an agent's model: their JSON schemas, and the interface that runs a call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from ...contract.merge import JsonView
from .variables import Variables

ToolType = Literal["system", "webhook", "client", "mcp"]

LITERALS = ("string", "boolean", "integer", "number")
PHONE_ONLY = ("transfer_to_number", "voicemail_detection", "play_keypad_touch_tone")
"""System tools that need a telephone line."""

RESPONSE_SECONDS = 20.0
"""The default time limit of a tool call."""
NOT_MOCKED = "Tool Called."
"""The answer of a simulation for a tool without a mock."""


@dataclass(frozen=True)
class Tool:
    type: ToolType
    name: str
    description: str
    properties: JsonView
    required: Sequence[str] = ()
    kind: str = ""
    """`system_tool_type` of a system tool."""
    transfers: Sequence[JsonView] = ()
    """Rules of transfer_to_agent, in the order that `agent_number` counts."""
    config: JsonView = field(default_factory=dict[str, Any])
    """The stored configuration, for the executor of the tool."""
    parameters: JsonView | None = None
    """The whole JSON schema of a tool that has its own; `properties` are a part of it."""
    expects_response: bool = False
    """For a client tool: whether the conversation waits for its answer."""
    timeout_secs: float = RESPONSE_SECONDS

    def schema(self) -> dict[str, Any]:
        """The tool in the chat completions format."""
        taken = {"type": "object", "properties": dict(self.properties), "required": list(self.required)}
        function = {"name": self.name, "description": self.description, "parameters": self.parameters or taken}
        return {"type": "function", "function": function}


@dataclass(frozen=True)
class Outcome:
    """The outcome of a call. `result` is the typed result of a system tool."""

    value: str
    is_error: bool = False
    called: bool = True
    latency_secs: float = 0
    result: JsonView | None = None
    answer: str | None = None
    """The whole answer, if `value` is only a part of it."""
    updates: Sequence[JsonView] = ()
    """Records of the variables that it changed, in wire form."""


class Executor(Protocol):
    """Runs webhook, client and MCP tools. The runtime runs system tools itself.

    `arguments` have been checked against the tool's schema. `variables` are those at the time of the call.
    """

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> JsonView | None:
        """The transcript's details of the call before it is made, in wire form, without secrets."""
        ...

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        """Errors are returned as an outcome for the model; nothing is raised."""
        ...


@dataclass(frozen=True)
class Mock:
    return_value: str = NOT_MOCKED
    is_error: bool = False


@dataclass(frozen=True)
class MockExecutor:
    """Answers from a table by tool name, without side effects."""

    mocks: Mapping[str, Mock] = field(default_factory=dict[str, Mock])

    def details(self, tool: Tool, arguments: JsonView, variables: Variables) -> None:
        return None

    async def run(self, tool: Tool, request_id: str, arguments: JsonView, variables: Variables) -> Outcome:
        mock = self.mocks.get(tool.name, Mock())
        return Outcome(mock.return_value, mock.is_error)


def inline_tools(prompt: JsonView, languages: Sequence[str], *, on_phone: bool = False) -> list[Tool]:
    """The tools declared in `prompt.tools` and `prompt.built_in_tools`, each name once.

    Tools that need a telephone line are left out unless `on_phone`: a text conversation has none.
    """
    built_in: JsonView = prompt.get("built_in_tools") or {}
    declared = [*(prompt.get("tools") or ()), *({"name": k, **v, "type": "system"} for k, v in built_in.items() if v)]
    found: dict[str, Tool] = {}
    for config in declared:
        tool = _system(config, languages, on_phone=on_phone) if config.get("type") == "system" else _outside(config)
        if tool is not None:
            found.setdefault(tool.name, tool)
    return list(found.values())


def _system(config: JsonView, languages: Sequence[str], *, on_phone: bool) -> Tool | None:
    params: JsonView = config.get("params") or {}
    kind = params.get("system_tool_type") or config["name"]
    transfers: Sequence[JsonView] = params.get("transfers") or ()
    reason = _text("Why the tool is called.")
    match kind:
        case "end_call":
            says = "Ends the conversation. Use it when the task is done or the user says goodbye."
            properties = {"reason": reason, "message": _text("A farewell, said right before the end.")}
            required = ["reason"]
        case "skip_turn":
            says = "Stays silent until the user speaks again. Use it when the user asks for a moment."
            properties, required = {"reason": reason}, []
        case "language_detection":
            says = "Changes the language when the user speaks another one or asks for it. Languages: "
            says += ", ".join(languages)
            properties = {"reason": reason, "language": {**_text("The new language's code."), "enum": list(languages)}}
            required = ["reason", "language"]
        case "transfer_to_agent":
            says = "Hands the conversation over to another agent, by number:\n"
            says += "\n".join(f"{n}: {transfer.get('condition', '')}" for n, transfer in enumerate(transfers))
            number = {"type": "integer", "description": "The number of the rule that applies."}
            properties = {"reason": reason, "agent_number": number}
            required = ["agent_number"]
        case "transfer_to_number" if on_phone:
            says = "Hands the caller over to a person, at one of these numbers:\n"
            says += "\n".join(f"{destination(transfer)}: {transfer.get('condition', '')}" for transfer in transfers)
            properties = {
                "reason": reason,
                "transfer_number": _text("The number of the rule that applies, exactly as listed."),
                "client_message": _text("Said to the caller before the transfer."),
                "agent_message": _text("Said to the person who takes over."),
            }
            required = ["transfer_number", "client_message", "agent_message"]
        case "voicemail_detection" if on_phone:
            says = "Tells that an answering machine has picked up. Use it as soon as one is heard."
            properties, required = {"reason": reason}, ["reason"]
        case "play_keypad_touch_tone" if on_phone:
            says = "Plays keypad tones, to get through a telephone menu."
            properties = {"reason": reason, "dtmf_tones": _text("The keys, of 0-9, * and #.")}
            required = ["dtmf_tones"]
        case _:
            return None
    description = config.get("description") or says
    return Tool("system", config["name"], description, properties, required, kind, transfers, config)


def destination(transfer: JsonView) -> str:
    """The destination of a rule, as shown to the model: a number, a SIP address, or the variable that holds it."""
    to: JsonView = transfer.get("transfer_destination") or {}
    return to.get("phone_number") or to.get("sip_uri") or transfer.get("phone_number") or ""


def _outside(config: JsonView) -> Tool:
    """A client tool's parameters, or a webhook's path, query and body parameters combined.

    Parameters of the same name in two places of a request are one argument, so that the model writes the value once.
    """
    description = config.get("description") or ""
    seconds = config.get("response_timeout_secs") or RESPONSE_SECONDS
    if config.get("type") != "webhook":
        properties, required = _object(config.get("parameters") or {})
        expects = bool(config.get("expects_response"))
        return Tool(
            "client", config["name"], description, properties, required,
            expects_response=expects, timeout_secs=seconds, config=config,
        )  # fmt: skip
    api: JsonView = config.get("api_schema") or {}
    in_path: JsonView = api.get("path_params_schema") or {}
    properties, required = _object({"properties": in_path, "required": list(in_path)})
    for part in (api.get("query_params_schema"), api.get("request_body_schema")):
        more, needed = _object(part or {})
        properties |= more
        required += [name for name in needed if name not in required]
    return Tool("webhook", config["name"], description, properties, required, timeout_secs=seconds, config=config)


def _object(schema: JsonView) -> tuple[dict[str, Any], list[str]]:
    """The properties that the model fills in. Those with a constant or a dynamic variable are filled in for it."""
    declared: JsonView = schema.get("properties") or {}
    properties = {name: _schema(prop) for name, prop in declared.items() if not _is_given(prop)}
    return properties, [name for name in schema.get("required") or () if name in properties]


def _schema(prop: JsonView) -> dict[str, Any]:
    kind = kind_of(prop)
    schema: dict[str, Any] = {"type": kind}
    if description := prop.get("description"):
        schema["description"] = description
    if allowed := prop.get("enum"):
        schema["enum"] = allowed
    if kind == "array":
        schema["items"] = _schema(prop.get("items") or {})
    if kind == "object":
        schema["properties"], schema["required"] = _object(prop)
    return schema


def kind_of(prop: JsonView) -> str:
    """The type of a property; the contract allows lists and objects without one."""
    return prop.get("type") or ("array" if "items" in prop else "object")


def _is_given(prop: JsonView) -> bool:
    constant = prop.get("constant_value")
    return bool(prop.get("dynamic_variable") or prop.get("is_system_provided")) or constant not in (None, "")


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}
