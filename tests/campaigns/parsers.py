"""Whatever we parse ourselves, with texts that grow towards trouble: only the declared error, in time, and it fits.

Hypothesis keeps what drove a parser further (its `target`: seconds for each byte, and the size of what came out).
"""

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import anyio.to_thread
from hypothesis import HealthCheck, Phase, given, seed, settings, target
from hypothesis import strategies as st
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from callwright.contract.agents import UpdateAgent
from callwright.contract.errors import BadRequest
from callwright.contract.tool_dialect import normalise_tool, placeholders
from callwright.contract.walk import nodes, spelt, strangers
from callwright.engine.dialogue.event_stream import Events
from callwright.engine.dialogue.paths import value_at
from callwright.engine.dialogue.patterns import check_pattern
from callwright.engine.dialogue.voices import joined, plain, split_voices
from callwright.engine.knowledge.page_text import page_text
from callwright.net.guard import check
from callwright.pronunciation.lexicon import read_lexicon, write_lexicon
from callwright.pronunciation.rules import rules_of
from callwright.requests.recipients import recipients_of, rows_of_csv
from callwright.requests.tool_config import written
from callwright.secrecy import masked, without_secrets

from .campaign import Finding, Json, Report
from .schemas import ANYTHING, ODDITIES

SHORT, LONG = 1_500, 200_000
SLOW = 1.5
"""Seconds of processor time that no text of a few thousand characters may take."""


class Wrong(AssertionError):
    pass


def lexicon(text: str) -> None:
    try:
        found = read_lexicon(text.encode("utf-8", "surrogatepass"))
    except BadRequest:
        return
    rules_of(found)
    if read_lexicon(write_lexicon(found)) != found:
        raise Wrong("what was written is not read back as it was")


def recipients(text: str) -> None:
    try:
        found, _ = recipients_of(rows_of_csv(text))
    except ToolError:
        return
    if any(not str(each.get("phone_number", "")).startswith("+") for each in found):
        raise Wrong("somebody without a number is a recipient")


def urls(text: str) -> None:
    try:
        check(text)
    except BadRequest:
        return
    if not text.lower().startswith("https://"):
        raise Wrong("an address is allowed that is no https address")


def events(text: str) -> None:
    """The same events come out however the bytes are cut."""
    data = text.encode("utf-8", "surrogatepass")

    def read(size: int) -> list[str] | None:
        stream = Events()
        try:
            return [each for at in range(0, len(data), size) for each in stream.feed(data[at : at + size])]
        except ValueError:
            return None

    if read(max(1, len(data))) != read(1) or read(3) != read(1):
        raise Wrong("the events depend on how the bytes were cut")


def voices(text: str) -> None:
    whole = split_voices(text, ("Anna", "B<", "</x>"), 1)
    if plain(joined(whole)) != plain(whole):
        raise Wrong("joining parts changes the text")


def patterns(text: str) -> None:
    try:
        check_pattern(text[:600])
    except ValueError:
        return


def pages(text: str) -> None:
    page_text(text)


def secrets(text: str) -> None:
    known = [text[: len(text) // 2][-30:], "k&y-<und>-more/x"]
    shown = masked(text, known)
    without_secrets(text)
    if any(len(secret) >= 4 and secret in shown and secret not in "[secret]" for secret in known):
        raise Wrong("a secret is not masked")


def walk(body: Any) -> None:
    for node in nodes(UpdateAgent, body):
        spelt(node.path)
    list(strangers(UpdateAgent, body))
    try:
        request = UpdateAgent.model_validate({"agent_id": "a", **(cast(Json, body) if isinstance(body, dict) else {})})
        request.guarded_places()
    except (ValidationError, UnicodeEncodeError):  # half of a surrogate pair: no wire can bring it
        return


def dialect(body: Any) -> None:
    told, _ = normalise_tool(body)
    placeholders(told)
    again, _ = normalise_tool(told)
    if again != told:
        raise Wrong("what was normalised is normalised again to something else")


def tool_config(body: Any) -> None:
    try:
        written({}, cast(Json, body) if isinstance(body, dict) else None, {"properties": body})
    except (ToolError, BadRequest):
        return


def paths(body: Any) -> None:
    for path in ("a.b[0]", "$.a", "[0][1]", "..", "a..b", "[", "a[99999999999999999999]", "0"):
        value_at(body, path)


MARKUP = ("<lexicon>", "</lexicon>", "<lexeme>", "</lexeme>", "<grapheme>", "<alias>", "<phoneme alphabet='ipa'>", "<!DOCTYPE x [", "<!ENTITY a '&b;'>", "&#x0;", "<![CDATA[", "<p>", "<td>", "<script>", "<!--", "<Anna>", "</Anna>", "<B<>", "</", "\x00")  # fmt: skip
CELLS = ("phone_number", ",", ";", "\t", '"', '""', "\n", "\r\n", "+15550001111", "\ufeff", "language", "=cmd()", "\r")
FRAMES = ("data:", "data: ", "\n\n", "\r", "\r\n\r\n", "event: x\n", ": c\n", '{"a": 1}', "[DONE]", "\ufeff", "ä")
PLACES = ("https://", "http://", "@", "%00", "[::1]", "127.0.0.1", "0x7f.1", ".example", ":443", "\\", "#", "?", "\t", "..", "xn--", "ß", "。")  # fmt: skip
REGEX = ("(", ")", "*", "+", "{1,9999}", "[a-", "(?P<a>", "(?<=", "\\1", "(?i", "|", "^", "a", "\\p{L}", "(?:", "$")
TOLD = ("sk-", "Bearer ", "token=", '\\u006b', "eyJ", ".", "-", "://", "@", "%2F", "&amp;", "\\", '"', "{", "password: ")  # fmt: skip


def _texts(pieces: tuple[str, ...]) -> st.SearchStrategy[str]:
    pieced = st.lists(st.one_of(st.sampled_from(pieces), st.text(max_size=6)), max_size=60).map("".join)
    return st.one_of(pieced, st.tuples(pieced, st.integers(1, 200)).map(lambda each: (each[0] * each[1])[:4_000]))


def _tree() -> st.SearchStrategy[Any]:
    names = ("type", "api_schema", "url", "properties", "tools", "conversation_config", "agent", "prompt", "name", "items", "id", "value_type", "workflow", "nodes", "platform_settings", "request_headers")  # fmt: skip
    return st.recursive(
        st.one_of(
            ANYTHING,
            ODDITIES,
            st.sampled_from(("webhook", "object", "string", "array", "https://a.example", "constant")),
        ),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(names), inner, max_size=5)
        ),
        max_leaves=25,
    )


PARSERS: dict[str, tuple[Callable[[Any], None], st.SearchStrategy[Any]]] = {
    "dictionaries": (lexicon, _texts(MARKUP)), "recipients": (recipients, _texts(CELLS)), "addresses": (urls, _texts(PLACES)),
    "event streams": (events, _texts(FRAMES)), "voices": (voices, _texts(MARKUP)), "patterns": (patterns, _texts(REGEX)),
    "web pages": (pages, _texts(MARKUP)), "secrets in texts": (secrets, _texts(TOLD)), "configurations": (walk, _tree()),
    "tools of editors": (dialect, _tree()), "arguments for tools": (tool_config, _tree()), "paths": (paths, _tree()),
}  # fmt: skip


async def campaign(count: int, seed: int) -> Report:
    report = Report()
    for place, name in enumerate(PARSERS):
        tried = Counter[str]()
        found = await anyio.to_thread.run_sync(
            partial(_try, name, max(10, count // len(PARSERS)), seed * 100 + place, tried)
        )
        report.counts["inputs"] += tried["inputs"]
        report.findings += [found] if found else []
    report.counts["parsers"] = len(PARSERS)
    return report


async def replay(case: Json) -> list[str]:
    try:
        _parse(case["parser"], case["input"])
    except Wrong as wrong:
        return [str(wrong)]
    return []


def _parse(name: str, given_: Any) -> float:
    """Seconds of processor time. Raises Wrong for any error that the parser does not declare."""
    began = time.process_time()
    try:
        PARSERS[name][0](given_)
    except Wrong:
        raise
    except Exception as exc:  # whatever a parser does not declare is what is looked for
        raise Wrong(f"{type(exc).__name__}: {str(exc)[:200]}") from exc
    took = time.process_time() - began
    if took > SLOW and len(str(given_)) < 20_000:
        raise Wrong(f"it took {took:.1f} s")
    return took


def _try(name: str, examples: int, start: int, tried: Counter[str]) -> Finding | None:
    last: list[Any] = []

    @seed(start)
    @settings(
        max_examples=examples, database=None, deadline=None, derandomize=False, report_multiple_bugs=False,
        phases=(Phase.generate, Phase.target, Phase.shrink),
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large),
    )  # fmt: skip
    @given(PARSERS[name][1])
    def parsing(found: Any) -> None:
        last[:] = [found]
        tried["inputs"] += 1
        took = _parse(name, found)
        size = len(str(found))
        target(min(took * 1e6, 1e9) / (size + 50), label="seconds for each character")
        target(float(size), label="size")

    try:
        parsing()
    except Wrong as wrong:
        return Finding(f"{name}: {wrong}", {"parser": name, "input": last[0]})
    return None
