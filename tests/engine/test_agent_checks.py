"""What an agent must satisfy before it is stored; a bad part is refused whole."""

import pytest
from httpx2 import AsyncClient
from inline_snapshot import snapshot

from callwright.api.client import ApiClient
from callwright.contract.agents import ListAgents
from callwright.engine.dialogue.prompt import PROMPT_LIMIT

from .helpers import JSON, agent, knowing, problems, read, workflow
from .test_auth_connections import connection

pytestmark = pytest.mark.anyio

CREATE = "/v1/convai/agents/create"


def put(**tree: JSON) -> JSON:
    """A request body: `put(tts={"speed": 1})` stands in the conversation's configuration."""
    settings = {k: tree.pop(k) for k in ("auth", "privacy") if k in tree}
    return {"conversation_config": tree, "platform_settings": settings}


def placed(prompt: JSON, place: str) -> JSON:
    """A request body with this prompt in one of the three places that have one."""
    config: JSON = {"agent": {"prompt": prompt}}
    node = {"type": "override_agent", "label": "Desk", "conversation_config": config}
    return {
        "the agent": {"conversation_config": config},
        "a language": {"conversation_config": {"language_presets": {"nl": {"overrides": config}}}},
        "a node": {"conversation_config": {}, "workflow": workflow(node)},
    }[place]


def hosts(count: int) -> JSON:
    return {"allowlist": [{"hostname": f"{n}.example.com"} for n in range(count)]}


def voices(count: int) -> JSON:
    return {"supported_voices": [{"label": f"V{n}", "voice_id": "v"} for n in range(count)]}


@pytest.mark.parametrize(
    "body",
    [
        put(tts={"speed": 0.7}),
        put(tts={"speed": 1.2}),
        put(turn={"turn_timeout": 1}),
        put(turn={"turn_timeout": 30}),
        put(privacy={"retention_days": -1}),
        put(privacy={"retention_days": 0}),
        put(auth=hosts(10)),
        put(tts=voices(9)),
    ],
)
async def test_values_at_a_limit_are_stored(wire: AsyncClient, body: JSON) -> None:
    answer = await wire.post(CREATE, json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (put(tts={"speed": 0.69}), "body.conversation_config.tts.speed"),
        (put(tts={"speed": 1.21}), "body.conversation_config.tts.speed"),
        (put(turn={"turn_timeout": 0.9}), "body.conversation_config.turn.turn_timeout"),
        (put(turn={"turn_timeout": 31}), "body.conversation_config.turn.turn_timeout"),
        (put(privacy={"retention_days": -2}), "body.platform_settings.privacy.retention_days"),
        (put(auth=hosts(11)), "body.platform_settings.auth.allowlist"),
        (
            put(auth={"allowlist": [{"hostname": "a.com"}, {"hostname": "A.com"}]}),
            "body.platform_settings.auth.allowlist",
        ),
        *(
            (put(auth={"allowlist": [{"hostname": name}]}), "body.platform_settings.auth.allowlist")
            for name in ("https://a.com", "a.com/", "*.a.com", "a.com:", "müller.example", "")
        ),
        *(
            (
                put(tts={"supported_voices": [{"label": label, "voice_id": "v"}]}),
                "body.conversation_config.tts.supported_voices",
            )
            for label in ("default", " ", "a<b", "/a")
        ),
        (put(tts=voices(10)), "body.conversation_config.tts.supported_voices"),
        ({}, "body.conversation_config"),
    ],
)
async def test_values_beyond_a_limit_are_refused_at_their_place(wire: AsyncClient, body: JSON, place: str) -> None:
    [problem] = problems(await wire.post(CREATE, json=body))
    assert problem.split(":")[0] == place


async def test_a_bad_part_is_refused_whole_with_every_problem(api: ApiClient, wire: AsyncClient) -> None:
    made = await agent(api, name="Ada")
    before = await read(api, made)
    patch = put(tts={"speed": 9, "stability": "x"}, turn={"turn_timeout": 99}) | {"name": "Bob"}
    assert problems(await wire.patch(f"/v1/convai/agents/{made}", json=patch)) == snapshot(
        [
            "body.conversation_config.turn.turn_timeout: Input should be less than or equal to 30",
            "body.conversation_config.tts.stability: Input should be a valid number, unable to parse string as a number",
            "body.conversation_config.tts.speed: Input should be less than or equal to 1.2",
        ]
    )
    assert await read(api, made) == before


async def test_unknown_references_and_unsafe_urls_are_named_together(api: ApiClient, wire: AsyncClient) -> None:
    made = await agent(api)
    tool = {
        "type": "webhook",
        "name": "look_up",
        "description": "",
        "api_schema": {"url": "http://169.254.169.254/{{id}}", "request_headers": {"x": {"secret_id": "secret_no"}}},
    }
    handover = {"transfer_to_agent": {"params": {"transfers": [{"agent_id": "agent_no", "condition": "always"}]}}}
    prompt = knowing("doc_no", tools=[tool], built_in_tools=handover, prompt="é" * (PROMPT_LIMIT // 2 + 1))
    for answer in (
        await wire.patch(f"/v1/convai/agents/{made}", json={"conversation_config": prompt}),
        await wire.post(CREATE, json={"conversation_config": prompt}),
    ):
        assert problems(answer) == snapshot(
            [
                "body.conversation_config.agent.prompt.knowledge_base.0: There is no document 'doc_no'.",
                "body.conversation_config.agent.prompt.tools.0.api_schema.request_headers.x.secret_id: There is no secret 'secret_no'.",
                "body.conversation_config.agent.prompt.built_in_tools.transfer_to_agent.params.transfers.0.agent_id: There is no agent 'agent_no'.",
                "body.conversation_config.agent.prompt.tools.0.api_schema.url: 169.254.169.254 leads to a cloud's metadata service, which is never called.",
                "body.conversation_config.agent.prompt.prompt: The prompt has 2,097,154 bytes; at most 2,097,152 are allowed.",
            ]
        )
    assert len((await api.send(ListAgents())).agents) == 1


async def test_a_variable_in_a_host_has_a_value_that_the_tool_fixes(wire: AsyncClient) -> None:
    def tool(url: str, **fixed: str) -> JSON:
        variables = {"dynamic_variable_placeholders": fixed}
        schema = {"url": url}
        given = {
            "type": "webhook",
            "name": "t",
            "description": "",
            "api_schema": schema,
            "dynamic_variables": variables,
        }
        return {"conversation_config": {"agent": {"prompt": {"tools": [given]}}}}

    for url in ("https://{{host}}/a", "https://crm.example.com/{{id}}?q={{q}}", "{{base}}/x"):
        good = tool(url, host="crm.example.com", base="https://crm.example.com/v1")
        assert (await wire.post(CREATE, json=good)).status_code == 200, url
    for url in ("https://{{host}}/a", "{{base}}/x"):
        assert problems(await wire.post(CREATE, json=tool(url))), url
        assert problems(await wire.post(CREATE, json=tool(url, host="127.0.0.1", base="http://169.254.169.254"))), url
    for url in ("https://localhost/{{id}}", "http://crm.example.com/", "ftp://example.com", "https://a:b@example.com/"):
        assert problems(await wire.post(CREATE, json=tool(url))), url


@pytest.mark.parametrize("llm", ["gemini-2.5-flash", "claude-3-7-sonnet@20250219", "custom-llm"])
async def test_zero_retention_takes_a_model_that_keeps_nothing(api: ApiClient, llm: str) -> None:
    zero: JSON = {"platform_settings": {"privacy": {"zero_retention_mode": True}}}
    prompt: JSON = {"llm": llm, "custom_llm": {"url": "https://llm.example.com/v1"}}
    assert await agent(api, {"agent": {"prompt": prompt}}, **zero)


async def test_zero_retention_refuses_other_models(api: ApiClient, wire: AsyncClient) -> None:
    made = await agent(api, {"agent": {"prompt": {"llm": "gpt-4o"}}})
    answer = await wire.patch(
        f"/v1/convai/agents/{made}", json={"platform_settings": {"privacy": {"zero_retention_mode": True}}}
    )
    assert (answer.status_code, answer.json()) == snapshot(
        (
            400,
            {
                "detail": {
                    "status": "bad_request",
                    "message": "Zero retention allows only models that keep nothing, and 'gpt-4o' is none of them.",
                }
            },
        )
    )
    assert (await read(api, made))["platform_settings"]["privacy"]["zero_retention_mode"] is False


@pytest.mark.parametrize(
    "prompt", [{"llm": "gpt-4o"}, {"native_mcp_server_ids": ["mcp_1"]}], ids=["a model", "an MCP server"]
)
@pytest.mark.parametrize("place", ["the agent", "a language", "a node"])
async def test_zero_retention_holds_for_every_prompt_of_an_agent(wire: AsyncClient, prompt: JSON, place: str) -> None:
    body = placed(prompt, place)
    assert (await wire.post(CREATE, json=body)).status_code == 200
    refused = await wire.post(CREATE, json=body | {"platform_settings": {"privacy": {"zero_retention_mode": True}}})
    assert (refused.status_code, refused.json()["detail"]["message"].split(":")[0].split(",")[0]) == (
        400,
        "Zero retention allows only models that keep nothing"
        if "llm" in prompt
        else "Zero retention allows no MCP servers",
    )


async def test_a_prompt_of_a_node_has_the_limit_of_the_agents_own(wire: AsyncClient) -> None:
    long = "é" * (PROMPT_LIMIT // 2 + 1)
    config = {"agent": {"prompt": {"prompt": long}}}
    node = {"type": "override_agent", "label": "n", "additional_prompt": long, "conversation_config": config}
    found = problems(await wire.post(CREATE, json={"conversation_config": {}, "workflow": workflow(node)}))
    assert [problem.split(":")[0] for problem in found] == [
        "body.workflow.nodes.n.conversation_config.agent.prompt.prompt",
        "body.workflow.nodes.n.additional_prompt",
    ]


async def test_a_variable_or_header_that_is_called_like_a_reference_is_none(wire: AsyncClient) -> None:
    placeholders = {"agent_id": "A-7", "secret_id": "S-7"}
    schema = {"url": "https://crm.example.com/", "request_headers": {"tool_id": "T-7", "x": {"secret_id": "secret_no"}}}
    tool = {"type": "webhook", "name": "t", "description": "", "api_schema": schema}
    config = {"dynamic_variables": {"dynamic_variable_placeholders": placeholders}, "prompt": {"tools": [tool]}}
    answer = await wire.post(CREATE, json={"conversation_config": {"agent": config}})
    assert problems(answer) == [
        "body.conversation_config.agent.prompt.tools.0.api_schema.request_headers.x.secret_id:"
        " There is no secret 'secret_no'."
    ]


PLACES = {
    "the agent": "conversation_config.agent.prompt",
    "a language": "conversation_config.language_presets.nl.overrides.agent.prompt",
    "a node": "workflow.nodes.n.conversation_config.agent.prompt",
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_model_of_its_own_needs_an_endpoint_wherever_it_is_chosen(wire: AsyncClient, place: str) -> None:
    body = placed({"llm": "custom-llm"}, place)
    said = "The llm is custom-llm, and nothing says where that is: give its url here, or choose another llm."
    assert problems(await wire.post(CREATE, json=body)) == [f"body.{PLACES[place]}.custom_llm: {said}"]
    endpoint = {"url": "https://llm.example.com/v1"}
    own = placed({"llm": "custom-llm", "custom_llm": endpoint}, place)
    assert (await wire.post(CREATE, json=own)).status_code == 200
    inherited = put(agent={"prompt": {"custom_llm": endpoint}})
    body["conversation_config"] = {**inherited["conversation_config"], **body["conversation_config"]}
    if place != "the agent":
        assert (await wire.post(CREATE, json=body)).status_code == 200


async def test_an_endpoint_is_not_taken_from_the_model_that_asks_it(api: ApiClient, wire: AsyncClient) -> None:
    prompt = {"llm": "custom-llm", "custom_llm": {"url": "https://llm.example.com/v1"}}
    ada = await agent(api, {"agent": {"prompt": prompt}})
    gone = {"conversation_config": {"agent": {"prompt": {"custom_llm": None}}}}
    [said] = problems(await wire.patch(f"/v1/convai/agents/{ada}", json=gone))
    assert said.startswith("body.conversation_config.agent.prompt.custom_llm: The llm is custom-llm")
    assert (await read(api, ada))["conversation_config"]["agent"]["prompt"]["custom_llm"]["url"]


@pytest.mark.parametrize("place", PLACES)
async def test_a_login_that_no_request_would_carry_is_refused(api: ApiClient, wire: AsyncClient, place: str) -> None:
    login = {"auth_connection_id": await connection(api)}
    own = {"url": "https://llm.example.com/v1", "auth_connection": login}
    assert problems(await wire.post(CREATE, json=placed({"custom_llm": own}, place))) == [
        f"body.{PLACES[place]}.custom_llm.auth_connection: A custom_llm takes no auth connection here; "
        "use api_key, or a secret in request_headers."
    ]
