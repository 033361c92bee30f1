"""The benchmark's own logic and its counts. What takes time is measured by scripts/bench, never by a test."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from inline_snapshot import snapshot
from scripts.benchmark.__main__ import finish
from scripts.benchmark.caller import Caller
from scripts.benchmark.client import Failed
from scripts.benchmark.installed import install_rows
from scripts.benchmark.reading import flaws_of, reading_rows
from scripts.benchmark.rows import ATTEMPTS, Probe, Row, measured, table
from scripts.benchmark.talking import Turns
from scripts.benchmark.tokens import BYTES_A_TOKEN, ESTIMATE, counter
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from .peers import serving

pytestmark = pytest.mark.anyio

MISSED = Row("start", 300, "ms", baseline=200, goal=1.25)
MET = Row("start", 220, "ms", baseline=200, goal=1.25)


async def test_what_a_model_reads_is_counted_on_the_real_server(tmp_path: Path) -> None:
    rows = {row.what: row for row in await reading_rows(tmp_path, ESTIMATE)}
    assert list(rows) == snapshot(
        [
            "tokens before the model, average a tool",
            "tokens of the biggest tool",
            "characters of the longest name",
            "input schemas: $ref, unions, undescribed",
            "tokens before the model, whole surface",
            "tokens before the model, default toolsets",
            "tokens before the model, read-only",
            "tokens before the model, search surface",
            "tokens of the instructions",
            "tokens of ten agents listed",
            "tokens of an error, the longest of five",
        ]
    )
    assert all(row.ours > 0 for what, row in rows.items() if not what.startswith("input schemas"))


async def test_what_a_model_reads_stays_within_its_budgets(tmp_path: Path) -> None:
    """Counted exactly where npm brings the vocabulary; these counts do not depend on the machine."""
    assert [row.what for row in await reading_rows(tmp_path, counter()) if row.met is False] == []


async def test_hosts_find_nothing_in_an_input_schema_that_they_refuse(tmp_path: Path) -> None:
    rows = {row.what: row for row in await reading_rows(tmp_path, ESTIMATE)}
    assert rows["input schemas: $ref, unions, undescribed"].note == ""


def test_flaws_of_a_schema_are_found_at_any_depth() -> None:
    text = {"type": "string", "description": "Text."}
    schema = {
        "type": "object",
        "properties": {
            "plain": text,
            "either": {"description": "One of two.", "anyOf": [text, {"type": "null"}]},
            "two": {"description": "Of two types.", "type": ["string", "null"]},
            "deep": {"type": "array", "description": "Parts.", "items": {"properties": {"silent": {"type": "string"}}}},
            "map": {"type": "object", "description": "By name.", "additionalProperties": {"$ref": "#/$defs/Part"}},
        },
    }
    assert list(flaws_of("tool", schema)) == snapshot(
        ["tool.either", "tool.two", "tool.deep[].silent (undescribed)", "tool.map[]"]
    )


def test_the_table_says_which_goals_are_met() -> None:
    rows = [MISSED, Row("calls", 700, "/s", 500, 0.75, "more"), Row("tool", 85.4, goal=85), Row("import", 12.3, "ms")]
    assert "\n" + table(rows) == snapshot("""\

what        ours  baseline  ratio  noise       goal  room
start     300 ms    200 ms   1.50         <= 1.25 x  -20%  MISS
calls     700 /s    500 /s   1.40         >= 0.75 x   87%  ok
tool       85.40                              <= 85        MISS
import  12.30 ms\
""")


def test_the_check_fails_where_a_goal_is_missed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert finish([MET, MISSED], check=True, file=tmp_path / "numbers.json") == 1
    assert capsys.readouterr().err == "missed: start\n"
    assert [row["met"] for row in json.loads((tmp_path / "numbers.json").read_text())] == [True, False]
    assert finish([MET], check=True, file=None) == 0
    assert finish([MISSED], check=False, file=None) == 0


def test_measurements_in_turn_are_judged_pair_by_pair_and_say_how_much_they_vary() -> None:
    """The machine grew three times slower in the middle, and one pair was disturbed: the ratio is what it was."""
    row = Row.of_pairs("turn", [12, 12, 36, 36, 90], [10, 10, 30, 30, 30], "ms", 1.5)
    assert row.ratio == pytest.approx(1.2)
    assert row.noise == pytest.approx(0)
    assert row.room == pytest.approx(0.2)
    more = Row.of_pairs("calls", [80, 90, 100, 110], [100, 100, 100, 100], "/s", 0.75, "more")
    assert more.noise == pytest.approx(0.075 / 0.95)
    assert more.room == pytest.approx(0.2 / 0.75)


async def test_a_row_fails_only_if_it_misses_every_time() -> None:
    outcomes = [MISSED, MET]

    async def improves() -> Sequence[Row]:
        return [outcomes.pop(0)]

    assert await measured([Probe(improves)], attempts=ATTEMPTS) == [MET]

    runs: list[Row] = []

    async def never() -> Sequence[Row]:
        runs.append(MISSED)
        return [MISSED]

    assert await measured([Probe(never)], attempts=ATTEMPTS) == [MISSED]
    assert len(runs) == ATTEMPTS


async def test_what_was_met_stays_when_a_neighbour_is_measured_again() -> None:
    lucky, unlucky = Row("first", 1, goal=1), Row("first", 2, goal=1)
    turns = [[lucky, MISSED], [unlucky, MET]]

    async def run() -> Sequence[Row]:
        return turns.pop(0)

    assert await measured([Probe(run)], attempts=ATTEMPTS) == [lucky, MET]


async def test_a_count_is_not_counted_twice() -> None:
    runs: list[Row] = []

    async def run() -> Sequence[Row]:
        runs.append(MISSED)
        return [MISSED]

    await measured([Probe(run, noisy=False)], attempts=ATTEMPTS)
    assert runs == [MISSED]


def test_without_a_vocabulary_tokens_are_an_estimate_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    counts = counter(tmp_path / "vocabulary.json")
    assert (counts.exact, counts.count("x" * 40)) == (False, round(40 / BYTES_A_TOKEN))
    assert "ESTIMATED" in counts.said
    assert "No vocabulary" in capsys.readouterr().err


def test_a_kept_vocabulary_counts_exactly(tmp_path: Path) -> None:
    kept = tmp_path / "vocabulary.json"
    # "a", "b" and "ab" in base64, from rank 0.
    vocabulary: dict[str, Any] = {"pat_str": r"\w+", "bpe_ranks": "! 0 YQ== Yg== YWI=", "special_tokens": {}}
    kept.write_text(json.dumps(vocabulary), encoding="utf-8")
    counts = counter(kept)
    assert (counts.exact, counts.count("abab"), counts.count("aba")) == (True, 2, 2)


def test_the_core_install_is_counted_without_what_the_checks_need() -> None:
    packages, size = install_rows()
    assert packages.met
    assert size.met


async def test_a_turn_is_measured_beside_a_bare_handler_that_talks_with_the_same_model(tmp_path: Path) -> None:
    rows = await Turns(tmp_path, lone=2, turns=1, conversations=3, pace_seconds=0.3).rows()
    assert [(row.what, row.goal, row.baseline is None) for row in rows] == snapshot(
        [
            ("a turn, one conversation", 1.6, False),
            ("a turn, 3 live, each a turn every 0.3 s, p99", 4, False),
        ]
    )
    assert all(0 < row.ours < 5_000 for row in rows)


async def test_a_server_that_refuses_a_conversation_stops_the_measurement() -> None:
    async def refuses(_: object, __: object, send: Any) -> None:
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with serving(refuses) as url:
        with pytest.raises(Failed, match="403"):
            await Caller.begun(f"{url}/v1/convai/conversation?agent_id=a", "key")


async def test_a_conversation_that_ends_between_two_turns_fails_at_the_next_one_with_its_reason() -> None:
    async def hangs_up(socket: WebSocket) -> None:
        await socket.accept("convai")
        await socket.receive()
        await socket.send_json({"type": "conversation_initiation_metadata"})
        await socket.send_json({"type": "error", "error_event": {"message": "Internal error, in many words."}})
        await socket.close(1011, "Internal")

    async with serving(Starlette(routes=[WebSocketRoute("/talk", hangs_up)]), ws="wsproto") as url:
        caller = await Caller.begun(f"{url}/talk?agent_id=a", "key")
        with anyio.fail_after(60):
            while caller.ended is None:
                await anyio.lowlevel.checkpoint()
            with pytest.raises(Failed) as failed:
                await caller.turn("Hello")
    for part in ("/talk?agent_id=a, beginning:", "1011 Internal", "Internal error, in many words."):
        assert part in str(failed.value)
