"""What is sent a second time, when, and how long a call may take; with a clock and pauses of the test's own."""

import math
from typing import Any

import anyio
import httpx2 as httpx
import pytest

from callwright.api.client import ApiClient
from callwright.api.retry import ATTEMPTS, Answer, Fault, pause, told_to_wait
from callwright.contract import errors
from callwright.contract.operation import Effect, Operation

from .operations import CREATE, DELETE, GET, RING, SumUp, Thing

pytestmark = pytest.mark.anyio
NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT
OK = httpx.Response(200, json={"name": "n"})
EFFECTS: tuple[Effect, ...] = ("read", "create", "update", "delete", "dial", "grant", "secret")


class Script(httpx.AsyncBaseTransport):
    """Gives its outcomes in turn; the last one for ever."""

    def __init__(self, *outcomes: httpx.Response | Exception) -> None:
        self.outcomes, self.sent = list(outcomes), list[bytes]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(await request.aread())
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome.status_code, headers=outcome.headers, content=outcome.content)


async def play(
    op: Operation[Any], *outcomes: httpx.Response | Exception, deadline: float = 30.0
) -> tuple[Any, int, list[float]]:
    """The result or error, how often it was sent, and the pauses."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    script = Script(*outcomes)
    api = ApiClient(
        "http://api", transport=script, sleep=sleep, clock=lambda: NOW, random=lambda: 0.5, deadline=deadline
    )
    try:
        result: Any = await api.send(op)
    except errors.ApiError as exc:
        result = exc
    await api.aclose()
    return result, len(script.sent), pauses


def status(code: int, **headers: str) -> httpx.Response:
    return httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


PASSING = [
    status(500),
    status(502),
    status(503),
    status(504),
    status(408),
    status(429),
    httpx.ConnectError("x"),
    httpx.ConnectTimeout("x"),
    httpx.PoolTimeout("x"),
    httpx.ReadTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteError("x"),
    httpx.RemoteProtocolError("x"),
]


@pytest.mark.parametrize("fault", PASSING, ids=repr)
@pytest.mark.parametrize("op", [GET, SumUp(parts=["a"])], ids=["GET", "a POST that only reads"])
async def test_two_passing_faults_are_hidden_from_a_read(
    op: Operation[Thing], fault: httpx.Response | Exception
) -> None:
    assert await play(op, fault, fault, OK) == (Thing(name="n"), 3, [0.25, 0.5])


@pytest.mark.parametrize("fault", [f for f in PASSING if f not in (PASSING[5], *PASSING[6:9])], ids=repr)
@pytest.mark.parametrize("op", [CREATE, DELETE, RING], ids=["create", "delete", "dial"])
async def test_a_write_that_may_have_been_carried_out_is_sent_once(
    op: Operation[Any], fault: httpx.Response | Exception
) -> None:
    result, sent, pauses = await play(op, fault, OK)
    assert isinstance(result, errors.ApiError)
    assert (sent, pauses) == (1, [])
    if isinstance(fault, Exception):
        assert str(result).endswith("Whether it was carried out is not known: look before you repeat it.")


@pytest.mark.parametrize("fault", PASSING[5:9], ids=repr)
async def test_a_write_that_surely_was_not_carried_out_is_sent_again(fault: httpx.Response | Exception) -> None:
    for op in (CREATE, DELETE, RING):
        assert (await play(op, fault, OK))[1] == 2


async def test_a_busy_platform_that_says_when_to_come_back_did_not_take_a_write() -> None:
    busy = status(503, retry_after="2")
    assert await play(CREATE, busy, OK) == (Thing(name="n"), 2, [2.0])
    result, sent, _ = await play(RING, busy, OK)
    assert (type(result), sent) == (errors.Unavailable, 1)


@pytest.mark.parametrize(
    "fault",
    [
        httpx.LocalProtocolError("x"),
        RuntimeError("x"),
        httpx.DecodingError("x"),
        status(400),
        status(404),
        status(409),
        status(422),
        status(302),
    ],
    ids=repr,
)
async def test_what_will_not_pass_is_sent_once(fault: httpx.Response | Exception) -> None:
    result, sent, _ = await play(CREATE, fault, OK)
    assert isinstance(result, errors.ApiError)
    assert sent == 1


async def test_a_body_is_whole_on_each_attempt() -> None:
    script = Script(httpx.ConnectError("x"), OK)
    async with ApiClient("http://api", transport=script, random=lambda: 0.0) as api:
        await api.send(CREATE)
    assert script.sent == [b'{"name":"n"}'] * 2


async def test_after_three_attempts_the_last_answer_stands() -> None:
    result, sent, _ = await play(GET, httpx.ReadError("secret detail"))
    assert (str(result), sent) == ("The exchange with the platform broke off (ReadError).", ATTEMPTS)
    result, sent, _ = await play(CREATE, httpx.ConnectError("secret detail"))
    assert (str(result), sent) == ("The platform cannot be reached (ConnectError).", ATTEMPTS)


FORMS: list[tuple[dict[str, str], float | None]] = [
    ({"retry-after": "7"}, 7.0),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "1.5"}, 1.5),
    ({"retry-after": "-3"}, 0.0),
    ({"retry-after": "nan"}, 0.0),
    ({"retry-after": "inf"}, math.inf),
    ({"retry-after": "1e400"}, math.inf),
    ({"retry-after": "Fri, 15 Jan 2027 08:00:09 GMT"}, 9.0),
    ({"retry-after": "Fri, 15 Jan 2027 09:00:09 +0100"}, 9.0),
    ({"retry-after": "Friday, 15-Jan-27 08:00:09 GMT"}, 9.0),
    ({"retry-after": "Fri, 15 Jan 2027 08:00:09 -0000"}, 9.0),
    ({"retry-after": "Fri, 15 Jan 2020 08:00:00 GMT"}, 0.0),
    ({"retry-after-ms": "50"}, 0.05),
    ({"retry-after-ms": "50", "retry-after": "7"}, 0.05),
    ({"retry-after-ms": "x", "retry-after": "7"}, 7.0),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": "Fri, 99 Jan 2027 08:00:00 GMT"}, None),
    ({"retry-after": "Fri, 15 Jan 99999999999 08:00:00 GMT"}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), FORMS, ids=repr)
def test_each_way_to_say_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert told_to_wait(Answer(429, headers, b""), NOW) == seconds


@pytest.mark.parametrize(("headers", "seconds"), [f for f in FORMS if f[1] is not None and f[1] < 30], ids=repr)
async def test_the_platforms_word_is_kept_for_reads_and_writes(headers: dict[str, str], seconds: float) -> None:
    for op in (GET, CREATE):
        assert await play(op, httpx.Response(429, headers=headers), OK) == (Thing(name="n"), 2, [seconds])


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("120", "The platform answered 429. The platform asks to wait 120 s."),
        ("inf", "The platform answered 429. The platform asks to wait without end."),
        ("86400", "The platform answered 429. The platform asks to wait 86400 s."),
    ],
)
async def test_a_wait_beyond_the_deadline_fails_at_once_and_says_how_long(told: str, text: str) -> None:
    result, sent, pauses = await play(GET, status(429, retry_after=told), OK)
    assert (type(result), str(result), sent, pauses) == (errors.RateLimited, text, 1, [])


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize("attempt", [1, 2, 3, 4])
def test_no_pause_is_longer_than_its_step_or_negative(effect: Effect, attempt: int) -> None:
    for draw in (0.0, 0.5, 0.999):
        wait = pause(effect, attempt, Fault("ConnectError", never_left=True), random=lambda: draw, now=NOW)  # noqa: B023
        assert wait is None if attempt >= ATTEMPTS else wait is not None and 0 <= wait <= 0.5 * 2 ** (attempt - 1)


class Hanging(httpx.AsyncBaseTransport):
    def __init__(self) -> None:
        self.cancelled, self.timeouts = 0, list[dict[str, float]]()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.timeouts.append(request.extensions["timeout"])
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            self.cancelled += 1
            raise
        raise AssertionError


async def test_one_deadline_covers_the_whole_call() -> None:
    transport = Hanging()
    async with ApiClient("http://api", transport=transport, deadline=0.01) as api:
        with pytest.raises(errors.Unreachable) as caught:
            await api.send(GET)
        assert str(caught.value) == "No answer within 0.01 s."
        with pytest.raises(errors.Unreachable) as caught:
            await api.send(CREATE, deadline=0.02)
        assert str(caught.value) == (
            "No answer within 0.02 s. Whether it was carried out is not known: look before you repeat it."
        )
    assert transport.cancelled == 2


async def test_a_long_call_may_be_silent_as_long_as_it_may_last() -> None:
    transport = Hanging()
    async with ApiClient("http://api", transport=transport) as api:
        for seconds in (None, 300):
            with anyio.move_on_after(0.01):
                await api.send(GET, deadline=seconds)
    assert [t["read"] for t in transport.timeouts] == [20.0, 300]
    assert [t["connect"] for t in transport.timeouts] == [5.0, 5.0]


async def test_a_cancelled_call_raises_no_error_of_its_own() -> None:
    async with ApiClient("http://api", transport=Hanging()) as api:
        with anyio.move_on_after(0.01) as scope:
            await api.send(GET)
    assert scope.cancelled_caught
