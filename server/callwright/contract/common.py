"""What several resources share: the open wire model, its ways of saying "open" and "absent", ids, paging.

Three idioms carry the whole contract:

* `Annotated[str, Known("a", "b")]` is an enumeration that stays open.
* `field: X | None = None` may be null. `field: Maybe[X] = None` may be absent, yet a request that says null is refused.
  Lists, maps and sections default to empty. Only what was set is sent, and `model_fields_set` tells absent from null.
* `Annotated[A | B | Unknown, OneOf("type")]` is a union whose arm is named by a tag.

Limits (`Limits`, `Checked`) bite on requests only. Whatever is read with `context=ANSWER` passes them, because a
platform that has changed its mind about a limit must stay readable.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Final, Literal, TypeVar, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, PydanticKnownError, core_schema

T = TypeVar("T")

ANSWER: Final = MappingProxyType({"answer": True})
"""The validation context of answers."""

Id = StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}$")
AgentId = Annotated[str, Id]
ConversationId = Annotated[str, Id]
DocumentId = Annotated[str, Id]
PhoneNumberId = Annotated[str, Id]
SecretId = Annotated[str, Id]
AuthConnectionId = Annotated[str, Id]
ToolId = Annotated[str, Id]
AgentTestId = Annotated[str, Id]
InvocationId = Annotated[str, Id]
BatchCallId = Annotated[str, Id]
McpServerId = Annotated[str, Id]
ChunkId = Annotated[str, Id]
RagIndexId = Annotated[str, Id]
PronunciationId = Annotated[str, Id]
VersionId = Annotated[str, Id]
"""Of a pronunciation dictionary."""

PageSize = Annotated[int, Field(ge=1, le=100)]
"""Items a page; the platform's default is 30."""
Cursor = Annotated[str, Field(max_length=1024)]
"""`next_cursor` of the page before; opaque."""
SortDirection = Literal["asc", "desc"]

WriteOnly = Annotated[SecretStr, PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json")]
"""Goes out on the wire, never into a repr, a log or an error."""


@dataclass(frozen=True)
class Confidential:
    """Marks a text that may be a secret: who approves a request sees that it is set, and not its value."""


def is_answer(info: ValidationInfo) -> bool:
    """Whether an answer is read, so that limits on requests do not apply."""
    return info.context is ANSWER


@dataclass(frozen=True)
class Known:
    """Values of an enumeration that stays open: newer platforms send others, which are accepted, kept and warned of."""

    values: tuple[str | int, ...]

    def __init__(self, *values: str | int) -> None:
        object.__setattr__(self, "values", values)

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "x-known-values": list(self.values)}


@dataclass(frozen=True)
class Limits:
    """Bounds of a number in a request, both included."""

    ge: float
    le: float | None = None
    source: str = field(kw_only=True)
    """Who says so, because the published schema does not: a page of the platform's guide, or we."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core), "minimum": self.ge} | ({} if self.le is None else {"maximum": self.le})

    def _check(self, value: float, info: ValidationInfo) -> float:
        if is_answer(info):
            return value
        if value < self.ge:
            raise PydanticKnownError("greater_than_equal", {"ge": self.ge})
        if self.le is not None and value > self.le:
            raise PydanticKnownError("less_than_equal", {"le": self.le})
        return value


@dataclass(frozen=True)
class Checked:
    """A check of a value in a request; it raises ValueError with words for the person who sent it.

    `pattern` says to programs what the check demands of a text, where a pattern can.
    """

    check: Callable[[Any], None]
    source: str = field(kw_only=True)
    """As with `Limits`."""
    pattern: str = field(default="", kw_only=True)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self._run, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(core)} | ({"pattern": self.pattern} if self.pattern else {})

    def _run(self, value: Any, info: ValidationInfo) -> Any:
        if not is_answer(info):
            self.check(value)
        return value


class _NotNull:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core)
        arms = [arm for arm in schema.pop("anyOf") if arm != {"type": "null"}]
        return {**schema, **(arms[0] if len(arms) == 1 else {"anyOf": arms})}

    @staticmethod
    def _check(value: Any, info: ValidationInfo) -> Any:
        if value is None and not is_answer(info):
            raise PydanticCustomError("null_not_allowed", "Leave the field out instead of sending null")
        return value


def null_is_refused(mark: object) -> bool:
    """Whether this annotation mark makes a field absent rather than null."""
    return isinstance(mark, _NotNull)


Maybe = Annotated[T | None, _NotNull()]
"""`field: Maybe[X] = None`: may be absent, reads as None then; a request must not say null."""


class Wire(BaseModel):
    """A value on the wire. Open: a field that a newer platform sends is kept and sent back unchanged.

    Frozen, because a change inside a default section would not be sent: `model_copy(update=...)` the parent instead.
    Built at first use.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, defer_build=True, hide_input_in_errors=True, protected_namespaces=()
    )


class Variant(Wire):
    """A value whose kind stands in a tag (`type: Literal["x"] = "x"`), which is always sent."""

    tags: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        cls.tags = frozenset(n for n, f in cls.model_fields.items() if get_origin(f.annotation) is Literal)

    def model_post_init(self, context: Any, /) -> None:
        self.__pydantic_fields_set__.update(self.tags)


class Unknown(Wire):
    """A variant that only newer platforms know, kept as it came."""


class Empty(Wire):
    """The platform answers `{}`, or nothing that matters."""

    @model_validator(mode="before")
    @classmethod
    def _any(cls, value: Any) -> Any:
        return cast(Any, value) if isinstance(value, dict) else {}


@dataclass(frozen=True)
class OneOf:
    """A union whose arm is named by a tag: `Annotated[Cat | Dog | Unknown, OneOf("type")]`.

    The arm whose tag is not a Literal takes what no other arm claims; else `Unknown` does, so that a variant of a newer
    platform passes. A known tag with wrong fields is refused at the place of those fields. A request must have the tag.
    """

    tag: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        kinds = cast(tuple[type[Wire], ...], get_args(source))
        claims: dict[object, type[Wire]] = {}

        @cache
        def rest() -> type[Wire]:
            """The arm for what no other claims."""
            literal = (get_origin(arm.model_fields[self.tag].annotation) is Literal for arm in kinds[:-1])
            return next((arm for arm, closed in zip(kinds, literal, strict=False) if not closed), Unknown)

        def pick(value: Any, info: ValidationInfo) -> Wire:
            if isinstance(value, kinds):
                return value
            if not isinstance(value, dict):
                raise PydanticKnownError("model_type", {"class_name": " or ".join(k.__name__ for k in kinds[:-1])})
            if not claims:
                found = {arm: arm.model_fields[self.tag].annotation for arm in kinds[:-1]}
                claims.update({tag: arm for arm, kind in found.items() for tag in get_args(kind)})
            tag = cast(dict[str, Any], value).get(self.tag)
            if not isinstance(tag, str) and rest() is Unknown and not is_answer(info):
                raise PydanticCustomError(
                    "union_tag_not_found", "'{tag}' must say which kind this is", {"tag": self.tag}
                )
            arm = claims.get(tag, rest()) if isinstance(tag, str) else rest()
            return arm.model_validate(value, context=info.context)

        def with_tag(core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
            return {**handler(core)} | ({"required": [self.tag]} if rest() is Unknown else {})

        return core_schema.with_info_plain_validator_function(
            pick, json_schema_input_schema=handler(source), metadata={"pydantic_js_functions": [with_tag]}
        )


Scalar = str | float | int | bool
"""A value of a dynamic variable."""


class SecretLocator(Wire):
    """Points to a workspace secret, which is read at the moment of use."""

    secret_id: str


class VariableLocator(Wire):
    """Points to a dynamic variable."""

    variable_name: str


@dataclass(frozen=True)
class Worded:
    """One sentence for a value that fits no arm of a union, instead of one a arm."""

    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        arms: list[CoreSchema | tuple[CoreSchema, str]] = [handler.generate_schema(arm) for arm in get_args(source)]
        return core_schema.union_schema(arms, custom_error_type="union", custom_error_message=self.message)


class EnvironmentLocator(Wire):
    """Points to an environment variable of the workspace, by its label."""

    env_var_label: str


MaybeSecret = Annotated[str, Confidential()]
"""A text that is sent along, such as a header, and is often a key."""
HeaderValue = Annotated[
    MaybeSecret | SecretLocator | VariableLocator,
    Worded('Must be a text, {"secret_id": "..."} or {"variable_name": "..."}'),
]
WebhookHeaderValue = Annotated[MaybeSecret | SecretLocator, Worded('Must be a text or {"secret_id": "..."}')]


class AccessInfo(Wire):
    """Who made a thing, and what the asking key may do with it."""

    is_creator: bool
    creator_name: str
    creator_email: str
    role: Annotated[str, Known("admin", "editor", "commenter", "viewer")]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Repeated = Annotated[list[T], BeforeValidator(_listed)]
"""A query parameter that may stand there several times."""


E164 = r"^\+[1-9][0-9]{1,14}$"
"""A phone number with its country code."""


def e164(number: str) -> None:
    """A phone number with its country, as in +15551234567."""
    if not re.fullmatch(E164, number):
        raise ValueError("must be a phone number with its country code, as in +15551234567")


PhoneNumberText = Annotated[str, Checked(e164, pattern=E164, source="guide: batch calls, transfer to a person")]
