# pyright: basic, reportMissingImports=false
"""Runs in an environment that has the SDK: `sdk_calls.py BASE_URL`, and on standard input `{"key": ..., "calls": [...]}`.

Makes each call `{"method": "agents.get", "arguments": {...}}` once, with arguments that went through the SDK's own
types, and does not look at the answers. Prints one JSON line for each: the names of the arguments that the method has.
"""

import base64
import inspect
import json
import sys
import typing

import httpx
from elevenlabs import ElevenLabs
from elevenlabs.core.api_error import ApiError
from pydantic import TypeAdapter


def argument(hint, value):
    if isinstance(value, dict) and "$file" in value:
        name, data, media_type = value["$file"]
        return name, base64.b64decode(data), media_type
    return TypeAdapter(hint).validate_python(value)


def main():
    given = json.load(sys.stdin)
    client = ElevenLabs(base_url=sys.argv[1], api_key=given["key"], httpx_client=httpx.Client(timeout=30))
    for call in given["calls"]:
        method: typing.Any = client
        for part in call["method"].split("."):
            method = getattr(method, part)
        hints = typing.get_type_hints(method)
        arguments = {name: argument(hints[name], value) for name, value in call["arguments"].items()}
        try:
            result = method(**arguments)
            if inspect.isgenerator(result):
                list(result)
        except ApiError:
            pass  # every request is refused: what was sent is what counts
        names = [name for name in inspect.signature(method).parameters if name != "request_options"]
        sys.stdout.write(json.dumps(names) + "\n")


main()
