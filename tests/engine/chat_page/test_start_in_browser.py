"""What comes before a conversation on the chat page: terms, variables, links, and the words where there is none."""

import pytest
from inline_snapshot import snapshot

from tests.browser import needs_browser
from tests.engine.live.talking import Stage

from .chatting import ANSWERS, FOCUSED, SAID, Person, config, the_conversation

pytestmark = [pytest.mark.anyio, needs_browser]


async def test_the_terms_come_first_and_are_accepted_before_anything_begins(at: Stage, bo: Person) -> None:
    widget = {"terms_text": "## Our terms\n\nBe kind.", "shareable_page_text": "Ask me anything."}
    ada = await at.agent(config(), platform_settings={"widget": widget})
    await bo.opens(ada)
    assert await bo.page.read("document.querySelector('#start').innerText.split(/\\n+/)") == snapshot(
        [
            "Before you start",
            "You will be talking with an AI agent, not with a person. It can be wrong.",
            "Ask me anything.",
            "Our terms",
            "Be kind.",
            "Accept and start",
        ]
    )
    assert (await at.http.get("/v1/convai/conversations")).json()["conversations"] == []
    await bo.presses("Accept and start")
    await bo.page.until(f"{ANSWERS} === 1")
    await bo.opens(ada)  # nothing is remembered without a key for it
    assert await bo.page.read("document.querySelector('#begin-button').innerText") == "Accept and start"


async def test_accepted_terms_are_remembered_under_their_key_until_they_change(at: Stage, bo: Person) -> None:
    ada = await at.agent(config(), platform_settings={"widget": {"terms_text": "Be kind.", "terms_key": "ada_terms"}})
    await bo.opens(ada)
    await bo.presses("Accept and start")
    await bo.page.until(f"{ANSWERS} === 1")
    await bo.opens(ada)
    assert await bo.page.read("document.querySelector('#begin-button').innerText") == "Start chat"
    changed = {"platform_settings": {"widget": {"terms_text": "Be very kind."}}}
    await at.http.patch(f"/v1/convai/agents/{ada}", json=changed)
    await bo.opens(ada)
    assert await bo.page.read("document.querySelector('#begin-button').innerText") == "Accept and start"


async def test_variables_that_the_agent_lacks_are_asked_for_on_a_form(at: Stage, bo: Person) -> None:
    settings = config(prompt="For {{customer_name}} in {{town}}")
    settings["agent"]["first_message"] = "Hello {{customer_name}} of {{town}}!"
    await bo.opens(await at.agent(settings, name="Ada"))
    await bo.presses("Start chat")
    await bo.page.until("!document.querySelector('#asked').hidden")
    assert [told for told in await bo.page.accessible() if told[0] == "textbox"] == [
        ("textbox", "Customer name"),
        ("textbox", "Town"),
    ]
    await bo.page.until("document.activeElement.id === 'field-0'")
    await bo.page.type("Bo")
    await bo.page.press("Tab")
    await bo.writes("Utrecht")
    await bo.page.until(f"{ANSWERS} === 1")
    assert await bo.page.read(SAID) == ["Ada:\nHello Bo of Utrecht!"]


async def test_a_token_opens_the_page_and_is_seen_nowhere_afterwards(at: Stage, bo: Person) -> None:
    ada = await at.agent(config(), platform_settings={"auth": {"enable_auth": True}})
    token = (await at.http.get(f"/v1/convai/agents/{ada}/link")).json()["token"]["conversation_token"]
    await bo.opens(ada, f"?token={token}")
    await bo.starts()
    assert token not in " ".join([await bo.page.source(), *await bo.page.addresses()])
    assert await bo.page.read("location.href") == f"{at.url}/agents/{ada}/chat"
    loaded = await bo.page.read("performance.getEntriesByType('resource').map(each => each.name).join()")
    assert "chat.js" in loaded
    assert token not in loaded
    id = await the_conversation(at)
    await bo.presses("End chat")
    assert (await at.conversation(id))["metadata"]["authorization_method"] == "shareable_link"


async def test_a_link_that_expires_while_the_page_is_open_says_so(at: Stage, bo: Person) -> None:
    ada = await at.agent(config(), platform_settings={"auth": {"enable_auth": True}})
    token = (await at.signed(ada)).partition("conversation_signature=")[2]
    await bo.opens(ada, f"?conversation_signature={token}")
    at.clock.forward(seconds=15 * 60)
    await bo.presses("Start chat")
    await bo.page.until("document.querySelector('#trouble').innerText")
    assert await bo.page.read("document.querySelector('#trouble').innerText") == snapshot(
        "The conversation could not start. This token has expired. Ask for a new signed URL, token or link."
    )
    assert await bo.page.read(FOCUSED) == "Start chat"


async def test_an_agent_that_holds_as_many_conversations_as_it_may_says_so(at: Stage, bo: Person) -> None:
    ada = await at.agent(
        config(), platform_settings={"call_limits": {"agent_concurrency_limit": 0, "bursting_enabled": False}}
    )
    await bo.opens(ada)
    await bo.presses("Start chat")
    await bo.page.until("document.querySelector('#trouble').innerText")
    assert "Try again later." in await bo.page.read("document.querySelector('#trouble').innerText")


async def test_without_script_the_page_says_what_it_needs(at: Stage, bo: Person) -> None:
    await bo.page.shown(script=False)
    await bo.page.open(f"{at.url}/agents/{await at.agent(config())}/chat")
    shown = await bo.page.accessible()
    assert not [told for told in shown if told[0] == "button"]
    await bo.page.shown(script=True)
    assert await bo.page.read("document.querySelector('#start').innerText.split(/\\n+/)") == snapshot(
        [
            "Before you start",
            "You will be talking with an AI agent, not with a person. It can be wrong.",
            "This page needs JavaScript to talk with the agent. Switch it on for this address, then reload.",
        ]
    )
