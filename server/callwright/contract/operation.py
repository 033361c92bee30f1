"""One REST operation as a value: route, effect and answer are on the class, the request is an instance."""

from collections.abc import Mapping
from functools import cache, cached_property
from string import Formatter
from typing import Any, ClassVar, Final, Generic, Literal, NamedTuple, Self, TypeVar, cast, get_args, get_origin
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

from .common import ANSWER
from .guards import Guard, Guarded, guarded_in

T = TypeVar("T", covariant=True)
R = TypeVar("R", covariant=True)
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "WS"]
"""`WS`: frames of a WebSocket, whose first one has the body."""
Effect = Literal["read", "create", "update", "delete", "dial", "grant", "secret"]
Place = Literal["path", "query", "body", "file"]

_EFFECT_OF: dict[Method, Effect] = {
    "GET": "read",
    "POST": "create",
    "PUT": "update",
    "PATCH": "update",
    "DELETE": "delete",
    "WS": "create",
}


STREAM_TYPE: Final = "application/x-ndjson"
"""How the embedded platform sends a `Stream`: one value a line. What hosted platforms do is not published."""


LONGEST_SHOWN = 60
"""Characters of a path segment that are shown in the error that refuses it."""


class Query:
    """Marks a field of a request with a body that travels in the query: `Annotated[bool, Query()]`."""


class Blob(NamedTuple):
    """An answer (or an uploaded file) that is not JSON."""

    media_type: str
    data: bytes
    filename: str = ""


class Stream(Generic[T]):
    """Says of an operation that its answer is one JSON value after another, each a `T`, sent as they come about.

    `Operation[Stream[T]]` has no `decode`; each value is read with `decode_item`. Nobody makes a `Stream`.
    """


class Operation(BaseModel, Generic[R]):
    """A call that the platform understands and that answers `R`.

    Fields named in `path` go there. The others are the query of a GET or DELETE, and the JSON body of a POST, PUT or
    PATCH (of a WS: of a frame); a body with a `Blob` field travels as multipart. Only what was set is sent, so that
    absent and null stay two things. Unknown body and query fields are kept and sent on, because newer platforms know
    them.

    `effect` is what the call does to the world; the approval policy judges by it. `guarded` are the places of the
    body that ask a person whichever tool carries them; so does a null above them, which resets them. `measured` says
    that the published facts of the API have it; a few that we need besides they do not. `within` names the part of the
    thing, as it is read, that an update's body changes; empty where the body looks like the thing. `seen_as` says where
    body fields stand in the thing that are read under another name. `replaces` are dotted paths below which whatever
    the body leaves out goes (`""`: all of it). `like` names the operation with the same outcome, whose policy holds.
    """

    model_config = ConfigDict(
        extra="allow", frozen=True, defer_build=True, hide_input_in_errors=True, protected_namespaces=()
    )

    method: ClassVar[Method]
    path: ClassVar[str]
    effect: ClassVar[Effect]
    guarded: ClassVar[tuple[Guard, ...]] = ()
    measured: ClassVar[bool] = True
    within: ClassVar[str] = ""
    seen_as: ClassVar[Mapping[str, str]] = {}
    replaces: ClassVar[tuple[str, ...]] = ()
    like: ClassVar[str] = ""

    def __init_subclass__(
        cls,
        *,
        method: Method | None = None,
        path: str = "",
        effect: Effect | None = None,
        guarded: tuple[Guard, ...] = (),
        measured: bool = True,
        within: str = "",
        seen_as: Mapping[str, str] | None = None,
        replaces: tuple[str, ...] = (),
        like: str = "",
        **kw: Any,
    ) -> None:
        super().__init_subclass__(**kw)
        if method is not None:
            cls.method, cls.path, cls.guarded, cls.measured, cls.within = method, path, guarded, measured, within
            cls.seen_as, cls.replaces, cls.like = seen_as or {}, replaces, like
            cls.effect = effect or _EFFECT_OF[method]

    @classmethod
    def act(cls) -> str:
        """What the operation does, as `METHOD /path`: rules of the policy for one way of doing it hold for all."""
        return cls.like or f"{cls.method} {cls.path}"

    @classmethod
    @cache
    def places(cls) -> dict[str, Place]:
        """Where each declared field travels, by its name on the wire."""
        in_path = {name for _, name, _, _ in Formatter().parse(cls.path) if name}
        rest: Place = "query" if cls.method in ("GET", "DELETE") else "body"

        def place(name: str, field: FieldInfo) -> Place:
            if name in in_path:
                return "path"
            if any(isinstance(mark, Query) for mark in field.metadata):
                return "query"
            return "file" if field.annotation is Blob or Blob in get_args(field.annotation) else rest

        return {wire: place(wire, cls.model_fields[name]) for wire, name in cls._attributes().items()}

    @classmethod
    @cache
    def _attributes(cls) -> dict[str, str]:
        """The declared fields by their names on the wire, which differ where a method here has that name."""
        return {field.alias or name: name for name, field in cls.model_fields.items()}

    @classmethod
    @cache
    def multipart(cls) -> bool:
        return "file" in cls.places().values()

    @classmethod
    @cache
    def answer(cls) -> Any:
        """The type `R` of the answer."""
        for base in cls.__mro__:
            if issubclass(base, BaseModel) and (args := base.__pydantic_generic_metadata__["args"]):
                return args[0]
        raise TypeError(f"{cls.__name__} does not say what it answers")

    @classmethod
    @cache
    def streams(cls) -> bool:
        """Whether the answer is one value after another."""
        return get_origin(cls.answer()) is Stream

    @classmethod
    @cache
    def result(cls) -> TypeAdapter[Any]:
        """Reads an answer, or one value of a stream."""
        return TypeAdapter(get_args(cls.answer())[0] if cls.streams() else cls.answer())

    @classmethod
    def decode(cls, body: bytes) -> R:
        """Read an answer's JSON. Limits on requests do not apply; ValidationError where it is not the contract's."""
        if cls.streams():
            raise TypeError(f"{cls.__name__} answers one value after another; read each with decode_item")
        return cls.result().validate_json(body or b"null", context=ANSWER)

    @classmethod
    def decode_item(cls: "type[Operation[Stream[T]]]", item: bytes) -> T:
        """Read the JSON of one value of a stream; otherwise as `decode`."""
        return cls.result().validate_json(item, context=ANSWER)

    @classmethod
    def parse(cls, path: Mapping[str, str], query: Mapping[str, Any], body: Mapping[str, Any]) -> Self:
        """Read a request. Nothing in a body or query can stand in for a path field."""
        places = cls.places()
        given = {"path": path, "query": query, "body": body, "file": body}
        fields = {name: given[place][name] for name, place in places.items() if name in given[place]}
        extra = {k: v for k, v in (*query.items(), *body.items()) if k not in places}
        return cls.model_validate(extra | fields)

    def url(self) -> str:
        parts = {n: _segment(getattr(self, self._attributes()[n])) for n, p in self.places().items() if p == "path"}
        return self.path.format(**parts)

    def query(self) -> dict[str, Any]:
        """Query parameters that were set; None is left out, because on the wire it would read as an empty string."""
        return dict(self._made_query)

    @cached_property
    def _made_query(self) -> dict[str, Any]:
        rest = self._extra() if self.method in ("GET", "DELETE") else {}
        return {name: value for name, value in (self._in("query") | rest).items() if value is not None}

    def body(self) -> dict[str, Any] | None:
        """The JSON body (for multipart: its plain fields); None where method or operation has none.

        The object is the caller's, and what it holds is shared: a caller that changes something inside copies it first.
        """
        return None if self._made_body is None else dict(self._made_body)

    @cached_property
    def _made_body(self) -> dict[str, Any] | None:
        return self._make_body()

    def _make_body(self) -> dict[str, Any] | None:
        if self.method in ("GET", "DELETE"):
            return None
        body = self._in("body") | self._extra()
        return body if body or {"body", "file"} & set(self.places().values()) else None

    def files(self) -> dict[str, Blob]:
        names = [n for n, place in self.places().items() if place == "file"]
        given = ((n, cast(Blob | None, getattr(self, self._attributes()[n]))) for n in names)
        return {name: blob for name, blob in given if blob is not None}

    def guarded_places(self) -> tuple[Guarded, ...]:
        """The guarded places that this request sets, and addresses in fields that the contract does not know."""
        return self._guarded_places

    @cached_property
    def _guarded_places(self) -> tuple[Guarded, ...]:
        return () if self.effect == "read" else guarded_in(type(self), self.guarded, self.body() or {})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """As pydantic's, without what was computed from the values before."""
        copy = super().model_copy(update=update, deep=deep)
        for name in ("_made_query", "_made_body", "_guarded_places"):
            vars(copy).pop(name, None)
        return copy

    def _extra(self) -> dict[str, Any]:
        return self.model_dump(mode="json", include=set(self.model_extra)) if self.model_extra else {}

    def _in(self, place: Place) -> dict[str, Any]:
        names = {self._attributes()[n] for n, p in self.places().items() if p == place}
        return self.model_dump(mode="json", by_alias=True, include=names, exclude_unset=True)


def _segment(value: object) -> str:
    """Quote one path segment. Dots, slashes and control characters would reach another endpoint behind some proxies."""
    text = str(value)
    # Half of a surrogate pair has no bytes to send.
    if not text.strip(".") or any(c in "/\\" or ord(c) < 32 or "\ud800" <= c <= "\udfff" for c in text):
        shown = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
        raise ValueError(f"{shown!r} cannot stand in a path")
    return quote(text, safe="")
