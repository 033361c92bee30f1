"""Keys are chosen by whoever writes a document. They move nothing between what is asked and what is stored."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.app import App
from callwright.approval.exempt import Exempt
from callwright.contract.agents import GetAgent, UpdateAgent
from callwright.contract.guards import Guarded
from callwright.contract.walk import Path, spelt, value_at

from ..samples.guarding import HOOK, graph
from ..transports import facts, reach, refusal_facts, text

pytestmark = pytest.mark.anyio

EVIL, GOOD = "https://evil.example/in", "https://hooks.example.com/in"
KEYS = st.one_of(
    st.sampled_from(
        ["url", "headers", "0", "a.b", "x-headers", "auth", 'a"b', "nodes.n.tools", "token", "*", "**", ""]
    ),
    st.text(max_size=12),
)
PATHS = st.lists(st.one_of(KEYS, st.integers(0, 20)), min_size=1, max_size=4).map(tuple)


def webhook(url: str) -> dict[str, Any]:
    tool = HOOK | {"api_schema": {"url": url}}
    return {"type": "override_agent", "label": "Desk", "conversation_config": {"agent": {"prompt": {"tools": [tool]}}}}


def update(nodes: dict[str, Any]) -> UpdateAgent:
    return UpdateAgent.model_validate({"agent_id": "agent_1", "workflow": {"nodes": nodes}})


def urls(op: UpdateAgent) -> list[Guarded]:
    return [place for place in op.guarded_places() if place.path[-1] == "url" and isinstance(place.value, str)]


@given(st.dictionaries(KEYS, st.sampled_from([EVIL, GOOD]), max_size=4))
def test_every_guarded_place_has_the_value_that_is_sent(chosen: dict[str, str]) -> None:
    op = update({key: webhook(url) for key, url in chosen.items()})
    assert {place.path[2]: place.value for place in urls(op)} == chosen
    for place in op.guarded_places():
        assert value_at(op.body(), place.path) == place.value


@given(st.lists(PATHS, min_size=2, max_size=2, unique=True))
def test_two_places_are_never_spelt_alike(paths: list[Path]) -> None:
    assert spelt(paths[0]) != spelt(paths[1])


DECOYS: dict[str, dict[str, Any]] = {
    "a key that spells another path": {
        "x.conversation_config.agent.prompt.tools.0.api_schema": {"type": "start", "url": GOOD},
        "x": webhook(EVIL),
    },
    "a key that spells a secret": {"x-headers": webhook(EVIL)},
    "a key that spells an index": {"0": webhook(EVIL)},
}


@pytest.mark.parametrize("decoy", DECOYS)
async def test_a_decoy_is_neither_exempt_nor_shown_instead(app: App, decoy: str) -> None:
    api = await app.api()
    async with reach(app, says="no") as (client, asked):
        agent = facts(await client.call_tool("create_agent", {"name": "Ada", "prompt": "Help."}))["agent_id"]
        change = {"agent_id": agent, "config": {"workflow": graph(**DECOYS[decoy])["workflow"]}}
        refused = await client.call_tool("update_agent", change)
        assert refusal_facts(refused) == {"declined": True}, text(refused)
        assert repr(EVIL) in asked[0]
        assert "evil" not in (await api.send(GetAgent(agent_id=agent))).model_dump_json()


def test_a_known_host_exempts_its_own_place_alone() -> None:
    op = update(DECOYS["a key that spells another path"])
    exempt = Exempt(hosts=("hooks.example.com",))
    assert [place.value for place in urls(op) if not exempt.address(place.value)] == [EVIL]
