"""The whole ladder of asking, as a table: what a client can show, how it is connected, and what then happens.

A secret is stored under the everyday policy. `form`: the client asks its user itself; `url`: it only shows addresses;
`none`: it can do neither, and a person approves elsewhere or not at all.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import URL_ELICITATION_REQUIRED, CallToolResult, ElicitResult, InputRequiredResult

from callwright.app import App
from callwright.approval import ask as approval
from callwright.http_server.serving import mcp_app
from callwright.mcp_server.server import build_server

from ..peers import serving
from ..transports import MODERN, Clock, facts, listening, numbered, refusal_facts, settings, text
from .test_unattended import callers
from .visitor import answer as answer_page
from .visitor import visitor

pytestmark = pytest.mark.anyio

Shows = Literal["form", "url", "none"]
SECRET = {"name": "crm", "value": "abc"}
OTHER = {"name": "crm", "value": "abd"}
QUESTION = "Store a secret named 'crm' (3 characters)."


@dataclass
class Person:
    """Who sits at the client. `does`: accept, decline or cancel; on the page: approve, decline or nothing."""

    does: Literal["accept", "decline", "cancel"] = "accept"
    on_page: Literal["approve", "decline", "nothing"] = "approve"
    asked: list[str] = field(default_factory=list[str])
    before_answering: Callable[[], Awaitable[object]] | None = None

    async def answer(self, _: Any, params: Any) -> ElicitResult:
        self.asked.append(params.message)
        if self.before_answering:
            await self.before_answering()
        if params.mode == "url":
            if self.does == "accept" and self.on_page != "nothing":
                await self.visit(params.url)
            return ElicitResult(action=self.does)
        return ElicitResult(action=self.does, content={"approve": True} if self.does == "accept" else None)

    async def visit(self, url: str) -> None:
        async with visitor() as browser:
            done = await answer_page(browser, url, self.on_page)
        assert done.status_code == 200


@dataclass(frozen=True)
class Way:
    """How a client is connected, and what it can show."""

    shows: Shows
    transport: Literal["memory", "http", "json", "stateless"]
    era: str

    def __str__(self) -> str:
        return f"{self.shows}-{'modern' if self.era == MODERN else 'legacy'}-{self.transport}"

    @property
    def reaches(self) -> Shows:
        """What the person is reached by: an older client on stateless HTTP cannot be asked, nor says what it shows."""
        if self.era == MODERN or self.transport in ("memory", "http"):
            return self.shows
        # Without a stream nothing can be asked in the midst of a call; an address can be shown instead of an answer.
        return "url" if self.transport == "json" and self.shows != "none" else "none"


SHOWN: tuple[Shows, ...] = ("form", "url", "none")
WAYS = [
    Way(shows, transport, era)  # pyright: ignore[reportArgumentType]
    for shows in SHOWN
    for transport in ("memory", "http", "json", "stateless")
    for era in ("legacy", MODERN)
]
each_way = pytest.mark.parametrize("way", WAYS, ids=str)


def server(home: Path, clock: Clock, **chosen: Any) -> App:
    return App(settings(home, **chosen), "embedded", near=True, clock=clock, ids=numbered())


@pytest.fixture(autouse=True)
def times(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    """One clock for the SDK's sealed states and for ours; and no waiting for a person who has not yet answered."""
    monkeypatch.setattr("mcp.server.request_state.time", SimpleNamespace(time=lambda: clock() / 1000))
    monkeypatch.setattr(approval, "WAIT_SECONDS", 0.0)


@asynccontextmanager
async def reach(app: App, way: Way, person: Person) -> AsyncGenerator[Client]:
    with pytest.MonkeyPatch.context() as patch:
        if way.shows == "url":  # the SDK's client always says that it shows forms as well
            patch.setattr("mcp.client.session.types.FormElicitationCapability", lambda: None)
        kw: dict[str, Any] = {"mode": way.era, "elicitation_callback": None if way.shows == "none" else person.answer}
        if way.transport == "memory":
            async with Client(build_server(app), **kw) as client:
                yield client
        else:
            async with (
                serving(mcp_app(app, listening(way.transport)), lifespan="on") as url,
                Client(f"{url}/mcp", **kw) as client,
            ):
                yield client


async def call(client: Client, person: Person, arguments: dict[str, str] = SECRET) -> CallToolResult | str:
    """The result; or, where an older client is shown an address, that address, which it has then shown."""
    try:
        return await client.call_tool("create_secret", arguments)
    except MCPError as exc:
        if exc.code != URL_ELICITATION_REQUIRED:
            raise
        [shown] = exc.data["elicitations"]
    if person.does == "accept" and person.on_page != "nothing":
        await person.visit(shown["url"])
    person.asked.append(shown["message"])
    return str(shown["url"])


async def settled(client: Client, way: Way, person: Person, app: App) -> CallToolResult:
    """A call, and where the person answers elsewhere the same call again."""
    first = await call(client, person)
    if way.reaches == "none":
        assert isinstance(first, CallToolResult)
        person.asked.append(given(first)["would"])
        code = given(first)["approve_with"].split()[-1]
        ledger = await app.ledger()
        if person.does == "accept":
            assert await ledger.approve(code)
        else:
            assert await ledger.decline(code)
    elif isinstance(first, CallToolResult):
        return first
    again = await call(client, person)
    assert isinstance(again, CallToolResult)
    return again


def given(result: CallToolResult) -> dict[str, Any]:
    """What a call that was not carried out answers instead."""
    assert result.is_error, text(result)
    return refusal_facts(result)


def given_result(result: CallToolResult | str) -> CallToolResult:
    assert isinstance(result, CallToolResult)
    return result


async def stored(client: Client) -> int:
    return len(facts(await client.call_tool("list_secrets", {}))["secrets"])


async def outcomes(client: Client) -> list[tuple[str, str]]:
    changes = facts(await client.call_tool("list_changes", {}))["changes"]
    return sorted((change["outcome"], change["approved_by"]) for change in changes)


@each_way
async def test_a_yes_acts_once_and_is_the_persons(tmp_path: Path, clock: Clock, way: Way) -> None:
    app, person = server(tmp_path, clock), Person()
    async with reach(app, way, person) as client:
        assert facts(await settled(client, way, person, app))["name"] == "crm"
        assert (await stored(client), await outcomes(client)) == (1, [("done", "person")])
    assert set(person.asked) == {QUESTION}


def refusals() -> Iterator[Any]:
    """Every way in which a person can say no. To an older client's address the page alone has the answer."""
    for way in WAYS:
        said: list[Person] = [Person(does="decline")]
        if way.reaches == "url":
            said = [Person(on_page="decline"), *(said if way.era == MODERN else [])]
        for person in said:
            word = "page" if person.on_page == "decline" else person.does
            yield pytest.param(way, person, id=f"{way}-{word}")


@pytest.mark.parametrize(("way", "person"), [*refusals()])
async def test_a_no_acts_never_and_is_said(tmp_path: Path, clock: Clock, way: Way, person: Person) -> None:
    app = server(tmp_path, clock)
    async with reach(app, way, person) as client:
        assert given(await settled(client, way, person, app)) == {"declined": True}
        assert (await stored(client), await outcomes(client)) == (0, [("declined", "person")])


CANCELLING = [way for way in WAYS if way.reaches == "form" or (way.reaches == "url" and way.era == MODERN)]


@pytest.mark.parametrize("way", CANCELLING, ids=str)
async def test_a_question_that_nobody_answers_waits_for_a_person_elsewhere(
    tmp_path: Path, clock: Clock, way: Way
) -> None:
    app, person = server(tmp_path, clock), Person(does="cancel")
    async with reach(app, way, person) as client:
        unanswered = given_result(await call(client, person))
        assert (await stored(client), await outcomes(client)) == (0, [])
        assert "nobody answered here" in text(unanswered)
        assert await (await app.ledger()).approve(given(unanswered)["approve_with"].split()[-1])
        assert facts(given_result(await call(client, person)))["name"] == "crm"
        assert (await stored(client), await outcomes(client)) == (1, [("done", "person")])


async def test_where_nobody_may_be_asked_elsewhere_it_is_refused(tmp_path: Path, clock: Clock) -> None:
    app, person = server(tmp_path, clock, unattended="refuse"), Person(does="cancel")
    async with reach(app, Way("form", "memory", MODERN), person) as client:
        refused = given_result(await call(client, person))
        assert "nobody answered here, and the server refuses" in text(refused)
        assert (await stored(client), await outcomes(client)) == (0, [("refused", "policy")])


@each_way
async def test_nobody_answering_in_time_leaves_it_undone(tmp_path: Path, clock: Clock, way: Way) -> None:
    async def forever() -> None:
        clock.forward(seconds=901)

    app, person = server(tmp_path, clock), Person(on_page="nothing", before_answering=forever)
    async with reach(app, way, person) as client:
        if way.era == MODERN and way.reaches != "none":
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await call(client, person)
        elif way.reaches == "form":
            late = await call(client, person)
            assert isinstance(late, CallToolResult)
            assert text(late) == "This approval was used already. Call again to ask anew."
        else:
            first = await call(client, person)
            clock.forward(seconds=901)
            code = (
                first.rpartition("/")[2].partition(".")[0] if isinstance(first, str) else given(first)["approve_with"]
            )
            assert await (await app.ledger()).approve(code.split()[-1]) is None
        assert await stored(client) == 0


@each_way
async def test_a_yes_is_for_its_arguments_and_for_one_call(tmp_path: Path, clock: Clock, way: Way) -> None:
    app, person = server(tmp_path, clock), Person()
    async with reach(app, way, person) as client:
        facts(await settled(client, way, person, app))
        person.does, person.on_page = "decline", "nothing"
        for arguments in (OTHER, SECRET):
            refused = await call(client, person, arguments)
            assert isinstance(refused, str) or refused.is_error
        assert await stored(client) == 1


class Rounds:
    """A client of the newest revision that answers by hand, so that it can say the same thing twice."""

    def __init__(self, client: Client) -> None:
        self._call: Any = client.session.call_tool

    async def ask(self, arguments: dict[str, str]) -> InputRequiredResult:
        asked = await self._call("create_secret", arguments, allow_input_required=True)
        assert isinstance(asked, InputRequiredResult)
        return asked

    async def answer(
        self, asked: InputRequiredResult, arguments: dict[str, str]
    ) -> CallToolResult | InputRequiredResult:
        [(key, _)] = (asked.input_requests or {}).items()
        said = {key: ElicitResult(action="accept", content={"approve": True})}
        more = {"input_responses": said, "request_state": asked.request_state, "allow_input_required": True}
        return await self._call("create_secret", arguments, **more)


MODERN_WAYS = [way for way in WAYS if way.era == MODERN and way.shows != "none"]


async def on_page(way: Way, asked: InputRequiredResult) -> None:
    if way.shows == "url":
        [request] = (asked.input_requests or {}).values()
        params: Any = request.params
        await Person().visit(params.url)


@pytest.mark.parametrize("way", MODERN_WAYS, ids=str)
async def test_a_round_played_twice_or_with_other_arguments_does_nothing_more(
    tmp_path: Path, clock: Clock, way: Way
) -> None:
    app = server(tmp_path, clock)
    async with reach(app, way, Person()) as client:
        rounds = Rounds(client)
        asked = await rounds.ask(SECRET)
        await on_page(way, asked)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await rounds.answer(asked, OTHER)
        done = await rounds.answer(asked, SECRET)
        assert isinstance(done, CallToolResult)
        assert facts(done)["name"] == "crm"
        again = await rounds.answer(asked, SECRET)
        if way.shows == "url":
            assert isinstance(again, InputRequiredResult)  # the page that was answered says nothing about a new call
        else:
            assert isinstance(again, CallToolResult)
            assert text(again) == "This approval was used already. Call again to ask anew."
        assert await stored(client) == 1


async def test_another_principal_cannot_use_a_round(tmp_path: Path, clock: Clock) -> None:
    """Asked in their client's form: where there are several tokens, the page is for whoever runs the server."""
    async with callers(server(tmp_path, clock), elicitation_callback=Person().answer) as (ann, ben):
        asked = await Rounds(ann).ask(SECRET)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await Rounds(ben).answer(asked, SECRET)
        assert isinstance(await Rounds(ben).ask(SECRET), InputRequiredResult)
        assert await stored(ann) == 0
        done = await Rounds(ann).answer(asked, SECRET)
        assert isinstance(done, CallToolResult)
        assert facts(done)["name"] == "crm"


def restarted(home: Path, clock: Clock) -> tuple[App, App]:
    return server(home, clock), server(home, clock)


def replicas(home: Path, clock: Clock) -> tuple[App, App]:
    """Two machines: one database, one state key and one vault's key, each with a data folder of its own."""
    shared: dict[str, Any] = {
        "own_database_url": f"sqlite:///{home / 'shared.db'}",
        "state_key": b"s" * 32,
        "vault_key": b"v" * 32,
    }
    return server(home / "one", clock, **shared), server(home / "two", clock, **shared)


def strangers(home: Path, clock: Clock) -> tuple[App, App]:
    """Replicas of which one has another state key."""
    one, _ = replicas(home, clock)
    other = {"own_database_url": one.settings.own_database_url, "vault_key": b"v" * 32, "state_key": b"t" * 32}
    return one, server(home / "two", clock, **other)


PAIRS = [pytest.param(restarted, True, id="restarted"), pytest.param(replicas, True, id="replica"),
         pytest.param(strangers, False, id="other-key")]  # fmt: skip


@pytest.mark.parametrize(("pair", "known"), PAIRS)
@pytest.mark.parametrize("way", MODERN_WAYS[1::2], ids=str)
async def test_a_round_goes_on_at_another_server_that_has_the_keys(
    tmp_path: Path, clock: Clock, way: Way, pair: Callable[[Path, Clock], tuple[App, App]], known: bool
) -> None:
    one, two = pair(tmp_path, clock)
    async with reach(one, way, Person()) as client:
        asked = await Rounds(client).ask(SECRET)
        await on_page(way, asked)
    async with reach(two, way, Person()) as client:
        if known:
            done = await Rounds(client).answer(asked, SECRET)
            assert isinstance(done, CallToolResult)
            assert facts(done)["name"] == "crm"
        else:
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                await Rounds(client).answer(asked, SECRET)
        assert await stored(client) == int(known)


@pytest.mark.parametrize(("pair", "known"), PAIRS)
async def test_what_a_person_entered_at_one_server_is_used_at_another_that_has_the_keys(
    tmp_path: Path, clock: Clock, pair: Callable[[Path, Clock], tuple[App, App]], known: bool
) -> None:
    one, two = pair(tmp_path, clock)
    way = Way("none", "memory", MODERN)
    async with reach(one, way, Person()) as client:
        waits = await client.call_tool("create_secret", {"name": "crm"})
        assert await (await one.ledger()).approve(given(waits)["approve_with"].split()[-1], "tiger")
    async with reach(two, way, Person()) as client:
        done = await client.call_tool("create_secret", {"name": "crm"})
        assert done.is_error is not known
        assert await stored(client) == int(known)
