# pyright: basic, reportMissingImports=false
"""The platform's SDK with a recorder: what it called, what came back, and what its own models say about that."""

import inspect
import json
import sys
import typing
from importlib.metadata import version

import httpx
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from elevenlabs.core.jsonable_encoder import jsonable_encoder
from elevenlabs.core.serialization import convert_and_respect_annotation_metadata
from pydantic import BaseModel, TypeAdapter, ValidationError

NOTHING_TO_CHECK = (None, type(None), typing.Any, str)
"""What a method says that it answers, where it has no model."""

BESIDE = ("voices.", "pronunciation_dictionaries.", "workspace.auth_connections.")
"""What does not belong to the agents' API and is needed by it."""

TRANSLATES = "2.23.0"
"""This version spells names as Python does before its models read them; later models know how the wire spells them."""


class Sdk:
    """Calls methods by their dotted names. Prints one JSON line for each call, and for each thing seen.

    `peer` is the base URL of a server that plays the other end: a web page, an MCP server.
    """

    def __init__(self, base_url: str, key: str, peer: str) -> None:
        self.peer = peer
        self.version = version("elevenlabs")
        self._base_url = base_url
        self._answers: list[httpx.Response] = []
        http = httpx.Client(timeout=30, event_hooks={"response": [self._keep]})
        self._client = ElevenLabs(base_url=base_url, api_key=key, httpx_client=http)

    def stranger(self) -> "Sdk":
        """Somebody who has another key."""
        return Sdk(self._base_url, "another-key", self.peer)

    def has(self, name: str) -> bool:
        try:
            self._method(name)
        except AttributeError:
            return False
        return True

    def call(self, name: str, /, *args, **kwargs) -> typing.Any:
        """What the method answers, in the SDK's own types. Raises ApiError where the platform refuses."""
        method = self._method(name)
        self._answers.clear()
        result = method(*args, **_renamed(method, kwargs))
        model = typing.get_type_hints(method, include_extras=True).get("return")
        if inspect.isgenerator(result):  # a file, in parts
            result, model = b"".join(typing.cast(typing.Iterator[bytes], result)).decode(), None
        self._told(name, result=jsonable_encoder(result), **self._checked(model))
        return result

    def refused(self, name: str, /, *args, **kwargs) -> None:
        """The same, where the platform must refuse."""
        method = self._method(name)
        self._answers.clear()
        try:
            result = method(*args, **_renamed(method, kwargs))
            # the answer of a method that streams is refused when it is read
            result = list(result) if inspect.isgenerator(result) else result
        except ApiError as exc:
            self._told(name, status=exc.status_code, body=jsonable_encoder(exc.body))
        else:
            raise AssertionError(f"{name}{args} was not refused: {result!r}")

    def saw(self, what: str, value: object) -> None:
        """Something that the test wants to know of: an effect, read back."""
        _print({"saw": what, "value": jsonable_encoder(value)})

    def text(self) -> str:
        """The last answer as it was on the wire."""
        return self._answers[-1].text

    def _method(self, name: str) -> typing.Any:
        found = self._client if name.startswith(BESIDE) else self._client.conversational_ai
        for part in name.split("."):
            found = getattr(found, part)
        return found

    def _keep(self, response: httpx.Response) -> None:
        response.read()
        self._answers.append(response)

    def _checked(self, model: typing.Any) -> dict:
        """What the SDK's model of the answer says when it is asked to be strict; by itself it never complains.

        `unknown` are the fields that it has no name for: ours, newer ones, or misspelt ones.
        """
        if model in NOTHING_TO_CHECK:
            return {"strict": "nothing to check"}
        answer = self._answers[-1].json()
        if self.version == TRANSLATES:
            answer = convert_and_respect_annotation_metadata(object_=answer, annotation=model, direction="read")
        try:
            answer = TypeAdapter(model).validate_python(answer)
        except ValidationError as exc:
            return {"strict": str(exc)}
        return {"strict": "ok", "unknown": sorted(set(_unknown(answer)))}

    def _told(self, name: str, **what: object) -> None:
        last = self._answers[-1]
        place = {"method": last.request.method, "path": last.request.url.path, "requests": len(self._answers)}
        _print({"call": name, **place, **what})


def _unknown(answer: typing.Any) -> typing.Iterator[str]:
    if isinstance(answer, BaseModel):
        yield from answer.model_extra or ()
        for name in type(answer).model_fields:
            yield from _unknown(getattr(answer, name))
    elif isinstance(answer, dict):
        for value in answer.values():
            yield from _unknown(value)
    elif isinstance(answer, list):
        for value in answer:
            yield from _unknown(value)


def _renamed(method: typing.Any, arguments: dict) -> dict:
    """What newer versions call otherwise: the body of a test is one argument there, `request`."""
    known = inspect.signature(method).parameters
    is_body = "request" in known and bool(arguments) and not arguments.keys() <= known.keys()
    return {"request": arguments} if is_body else arguments


def _print(line: dict) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
