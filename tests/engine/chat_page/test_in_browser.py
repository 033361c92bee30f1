"""Conversations on the chat page in a real browser, by keyboard; and what the platform keeps of them."""

import pytest
from inline_snapshot import snapshot

from tests.browser import needs_browser
from tests.dialogue.llm_peer import Fault
from tests.engine.live.talking import ALL_EVENTS, Stage
from tests.engine.live.test_session import ASKS, TELLS
from tests.engine.mcp_peer import real
from tests.engine.tool_calls.test_webhooks import crm

from .chatting import ANSWERS, FOCUSED, OVER, SAID, STATE, TOLD, TOOLS, Person, config, network, the_conversation

pytestmark = [pytest.mark.anyio, needs_browser]

THUMBS = "[...document.querySelectorAll('.thumb')].map(each => each.ariaPressed)"
MARKUP = "<img src=x onerror=\"document.title='broken'\"><b>bold</b>"


async def test_a_whole_conversation_by_keyboard_is_kept_with_its_tool_call_and_the_persons_opinion(
    at: Stage, bo: Person
) -> None:
    async with crm() as (url, got):
        tool = {"type": "webhook", "name": "crm", "description": "Looks up.", "api_schema": {"url": f"{url}/me"}}
        await bo.opens(await at.agent(config(tools=[tool]), name="Ada"))
        assert await bo.page.read("document.title") == "Chat with Ada"
        await bo.starts()
        assert await bo.page.read(FOCUSED) == "message"
        assert await bo.asks("Hi there") == "Ada:\nYou said Hi there."
        assert (await bo.asks("Ask the crm")).startswith("Ada:\nIt says ")
        assert [request["path"] for request in got] == ["/me?"]
    assert await bo.page.read(TOOLS) == ["Tool crm done"]
    seen: list[tuple[str, list[str]]] = []
    # Back to the last answer: disliked, then liked instead. Back to the one before: liked, then not judged at all.
    for key in ("back", " ", "back", " ", "back", "back", "back", " ", " "):
        await bo.page.press("Tab" if key == "back" else key, shift=key == "back")
        if key == " ":
            seen.append((await bo.page.read(FOCUSED), await bo.page.read(THUMBS)))
    assert seen == snapshot(
        [
            ("Bad answer", ["false", "false", "false", "false", "false", "true"]),
            ("Good answer", ["false", "false", "false", "false", "true", "false"]),
            ("Good answer", ["false", "false", "true", "false", "true", "false"]),
            ("Good answer", ["false", "false", "false", "false", "true", "false"]),
        ]
    )
    id = await the_conversation(at)
    await bo.presses("End chat")
    assert await bo.page.read(OVER) == snapshot("You ended the conversation\n\nYou can close this page.\n\nStart again")
    assert await bo.page.read(FOCUSED) == "You ended the conversation"
    kept = await at.conversation(id)
    said = [turn for turn in kept["transcript"] if turn["message"]]
    assert [(turn["role"], turn["message"]) for turn in said[:4]] == [
        ("agent", "Hello!"),
        ("user", "Hi there"),
        ("agent", "You said Hi there."),
        ("user", "Ask the crm"),
    ]
    assert [turn["feedback"] and turn["feedback"]["score"] for turn in said] == [None, None, None, None, "like"]
    assert [call["tool_name"] for turn in kept["transcript"] for call in turn["tool_calls"]] == ["crm"]
    assert kept["metadata"]["authorization_method"] == "public"


async def test_an_answer_appears_while_it_is_written_and_is_read_out_once_it_is_whole(at: Stage, bo: Person) -> None:
    await bo.opens(await at.agent(config(), name="Ada"))
    await bo.starts()
    await bo.writes("A story")
    await bo.page.until("document.querySelector('.agent:last-child .text')?.textContent === 'Once upon a time'")
    assert await bo.page.read(STATE) == "Writing…"
    assert await bo.page.read(TOLD) == ["Ada: Hello!"]
    at.llm.go_on.set()
    await bo.page.until(f"{ANSWERS} === 2")
    assert (await bo.page.read(STATE), await bo.page.read(TOLD)) == (
        "Connected",
        ["Ada: Hello!", "Ada: Once upon a time"],
    )


async def test_who_writes_while_the_agent_speaks_is_answered_and_sees_what_was_cut(at: Stage, bo: Person) -> None:
    await bo.opens(await at.agent(config(), name="Ada"))
    await bo.starts()
    await bo.writes("A story")
    await bo.page.until("document.querySelector('.agent:last-child .text')?.textContent === 'Once upon a time'")
    assert await bo.asks("Stop") == "Ada:\nYou said Stop."
    assert await bo.page.read(SAID) == [
        "Ada:\nHello!",
        "You:\nA story",
        "Ada:\nOnce upon a time\ninterrupted",
        "You:\nStop",
        "Ada:\nYou said Stop.",
    ]


async def test_a_message_of_several_lines_is_sent_as_it_was_written(at: Stage, bo: Person) -> None:
    await bo.opens(await at.agent(config(), name="Ada"))
    await bo.starts()
    await bo.writes("   ")  # nothing
    await bo.page.type("one")
    await bo.page.press("Enter", shift=True)
    assert await bo.asks("two") == "Ada:\nYou said one\ntwo."


async def test_who_is_typing_is_not_asked_whether_they_are_still_there(at: Stage, bo: Person) -> None:
    settings = config()
    settings["conversation"]["client_events"] = ["agent_response"]  # no ping, which would come before
    await bo.opens(await at.agent(settings))
    await bo.starts()
    at.clock.forward(seconds=6)
    await bo.page.type("Well")
    await at.clock.passes(seconds=7)  # after the typing, not after the first message
    await bo.page.until(f"{ANSWERS} === 2")


@pytest.mark.parametrize(("answer", "state"), [("Allow", "done"), ("Decline", "failed")])
async def test_a_tool_of_an_mcp_server_runs_if_the_person_allows_it(
    at: Stage, bo: Person, answer: str, state: str
) -> None:
    async with real() as (url, _):
        server = {"name": "Calendar", "url": url, "approval_policy": "require_approval_all"}
        made = (await at.http.post("/v1/convai/mcp-servers", json={"config": server})).json()["id"]
        await bo.opens(await at.agent(config(mcp_server_ids=[made]), name="Ada"))
        await bo.starts()
        await bo.writes("Please book")
        await bo.page.until("document.querySelector('.approval:not([hidden])')")
        assert await bo.page.read(TOOLS) == [
            'Tool book waits for you { "day": "Friday" } May the agent use this tool, with what is shown above? Allow Decline'
        ]
        assert await bo.page.read("document.querySelector('#urgent').textContent") == (
            "Ada asks whether it may use the tool book."
        )
        assert await bo.page.read(FOCUSED) == "message"  # a key that was meant for a message allows nothing
        await bo.presses(answer)
        await bo.page.until(f"{ANSWERS} === 2")
    [shown] = await bo.page.read(TOOLS)
    assert shown.startswith(f"Tool book {state}")
    assert ("did not approve" in (await bo.page.read(SAID))[-1]) is (answer == "Decline")


@pytest.mark.parametrize(
    "events", [ALL_EVENTS, ["agent_response", "client_tool_call"]], ids=["all events", "few events"]
)
async def test_an_agent_that_wants_something_of_an_application_is_told_that_there_is_none(
    at: Stage, bo: Person, events: list[str]
) -> None:
    settings = config(tools=[ASKS, TELLS])
    settings["conversation"]["client_events"] = events
    await bo.opens(await at.agent(settings, name="Ada"))
    await bo.starts()
    said = await bo.asks("where am I?")
    assert said == snapshot(
        "Ada:\nIt says This chat page has no client tools: nothing was done. Help the person in another way.."
    )
    await bo.asks("show me")
    refused = "not done The agent asked for something that this page cannot do."
    assert await bo.page.read(TOOLS) == [f"Tool where {refused}", f"Tool show {refused}"]


async def test_when_the_agent_ends_it_the_person_reads_why_and_can_start_again(at: Stage, bo: Person) -> None:
    await bo.opens(await at.agent(config(), name="Ada"))
    await bo.starts()
    await bo.writes("bye")
    await bo.page.until("!document.querySelector('#over').hidden")
    assert await bo.page.read(OVER) == snapshot("""\
The conversation has ended

The agent ended the conversation: Done.

Start again\
""")
    assert await bo.page.read(FOCUSED) == "The conversation has ended"
    assert await bo.page.read("document.querySelectorAll('#transcript button:enabled').length") == 0
    await bo.presses("Start again")
    await bo.page.until(f"document.querySelector('#over').hidden && {ANSWERS} === 1")
    assert await bo.page.read(SAID) == ["Ada:\nHello!"]
    assert await bo.asks("Again") == "Ada:\nYou said Again."


async def test_a_model_that_fails_is_told_as_that(at: Stage, bo: Person) -> None:
    await bo.opens(await at.agent(config(), name="Ada"))
    await bo.starts()
    at.llm.reply = lambda _: Fault(500)
    await bo.writes("Hi")
    await bo.page.until("!document.querySelector('#over').hidden")
    assert (await bo.page.read(OVER)).startswith("The agent's language model does not answer")
    assert "Try again in a moment. What was said until then is kept." in await bo.page.read(OVER)


async def test_a_lost_connection_is_told_plainly_and_a_new_conversation_is_one_key_away(at: Stage, bo: Person) -> None:
    async with network(at) as (url, between):
        await bo.opens(await at.agent(config(), name="Ada"), url=url)
        await bo.starts()
        id = await the_conversation(at)
        await bo.writes("A story")
        await bo.page.until("document.querySelector('.agent:last-child .text')?.textContent === 'Once upon a time'")
        await between.cut()
        await bo.page.until("!document.querySelector('#over').hidden")
        assert await bo.page.read(OVER) == snapshot("""\
The connection was lost

What was said until then is kept. Starting again begins a new conversation.

Start again\
""")
        assert (await at.conversation(id))["transcript"][-1]["message"] == "Once upon a time"
        await bo.presses("Start again")
        await bo.page.until(f"document.querySelector('#over').hidden && {ANSWERS} === 1")
        assert await bo.asks("Again") == "Ada:\nYou said Again."


async def test_what_anybody_writes_stays_text(at: Stage, bo: Person) -> None:
    texts = {"type": "object", "properties": {"text": {"type": "string", "description": "What."}}}
    settings = config(tools=[{**TELLS, "name": "draw", "parameters": texts}], prompt="For {{name}}")
    settings["agent"]["first_message"] = f"{MARKUP} {{{{name}}}}"
    widget = {"terms_text": MARKUP, "shareable_page_text": MARKUP, "text_contents": {"end_call": MARKUP}}
    await bo.opens(await at.agent(settings, name=MARKUP, platform_settings={"widget": widget}))
    await bo.presses("Accept and start")
    await bo.page.until("!document.querySelector('#asked').hidden")
    await bo.page.until("document.activeElement.id === 'field-0'")
    await bo.writes(MARKUP)
    await bo.page.until(f"{ANSWERS} === 1")
    assert MARKUP in await bo.asks(MARKUP)
    await bo.asks("draw")
    assert await bo.page.read("document.querySelector('.tool .what').textContent") == '{\n  "text": "<i>x</i>"\n}'
    assert await bo.page.read("document.querySelectorAll('img, b, i').length") == 0
    assert await bo.page.read("document.title") == f"Chat with {MARKUP}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1200])
async def test_everybody_can_read_and_use_it_on_any_screen(at: Stage, bo: Person, width: int, scheme: str) -> None:
    """By the rules of axe-core, in each state that the page has."""
    page = bo.page
    await page.shown(width=width, scheme=scheme)

    async def sound() -> None:
        assert await page.flaws() == []
        assert await page.read("document.documentElement.scrollWidth") == width
        assert await page.read("document.documentElement.scrollHeight") == 900
        assert (
            await page.read(
                "(({scrollHeight, clientHeight}) => scrollHeight - clientHeight)(document.querySelector('main'))"
            )
            == 0
        )

    async with real() as (url, _):
        server = {"name": "Calendar", "url": url, "approval_policy": "require_approval_all"}
        made = (await at.http.post("/v1/convai/mcp-servers", json={"config": server})).json()["id"]
        settings = config(mcp_server_ids=[made], tools=[ASKS], prompt="For {{name}}")
        widget = {"terms_text": f"# Terms\n\n[Read](https://a.example/). {'Be kind. ' * 200}"}
        await bo.opens(await at.agent(settings, name="Ada", platform_settings={"widget": widget}))
        await sound()
        await bo.presses("Accept and start")
        await page.until("document.activeElement.id === 'field-0'")
        await sound()
        await bo.writes("Bo")
        await page.until(f"{ANSWERS} === 1")
        await bo.asks("where am I?")
        await bo.asks("a-very-long-word" * 20)
        await bo.writes("Please book")
        await page.until("document.querySelector('.approval:not([hidden])')")
        assert await page.read("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await sound()
        await bo.presses("Allow")
        await page.until(f"{ANSWERS} === 4")
        await bo.presses("Good answer")
        await sound()
        await bo.presses("End chat")
        await sound()
    await page.open(f"{at.url}/agents/agent_no/chat")
    await sound()
