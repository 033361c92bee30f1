"""Sample calls of the operations on agents."""

from callwright.contract.agents import (
    CreateAgent,
    DeleteAgent,
    DuplicateAgent,
    GetAgent,
    GetAgentKnowledgeSize,
    GetAgentLink,
    ListAgents,
    SimulateConversation,
    StreamSimulation,
    UpdateAgent,
)

from . import guarding, plain, probing, whole
from .sample import Sample, Sdk

SAMPLES = [
    Sample(
        CreateAgent,
        tool="create_agent",
        request=plain.AGENT,
        makes=("agent_id", "agent_id"),
        sdk=[Sdk(f"{whole.P}.agents.create", whole.AGENT)],
        calls=[{"name": "Ada", "prompt": "p", "tags": ["a"], "config": probing.AGENT}],
        guarded={
            pattern: {"name": "Bob", "prompt": "Help.", "config": body} for pattern, body in guarding.AGENTS.items()
        },
        phrases=["make me a support agent from this prompt", "create a new voice agent that books tables"],
    ),
    Sample(
        ListAgents,
        tool="list_agents",
        lists="agents",
        sdk=[
            Sdk(
                f"{whole.P}.agents.list",
                {
                    "page_size": 5,
                    "archived": False,
                    "search": "a & b=ü?",
                    "sort_direction": "asc",
                    "sort_by": "name",
                    "cursor": "c+/=",
                },
            )
        ],
        calls=[probing.PAGE | {"search": "a", "sort_by": "-name"}],
        unreached={"archived": "list_agents marks those that are archived"},
        phrases=["which agents do I have", "list all my voice agents"],
    ),
    Sample(
        GetAgent,
        tool="get_agent",
        sdk=[Sdk(f"{whole.P}.agents.get", {"agent_id": whole.A})],
        read_as={
            "agent_id": probing.A,
            "name": "Ada",
            "conversation_config": {},
            "metadata": {"created_at_unix_secs": 1, "updated_at_unix_secs": 1},
            "platform_settings": {"testing": {"attached_tests": [{"test_id": probing.T, "workflow_node_id": "n1"}]}},
        },
        phrases=["show me the prompt of the reception agent"],
    ),
    Sample(GetAgent, tool="explain_workflow", phrases=["draw the workflow of my agent and explain where it leads"]),
    Sample(GetAgent, tool="start_conversation", phrases=["let me talk with my agent in text"]),
    Sample(
        UpdateAgent,
        tool="update_agent",
        request={"conversation_config": {"tts": {"speed": 1.1}}},
        sdk=[
            Sdk(f"{whole.P}.agents.update", {"agent_id": whole.A, **whole.AGENT}),
            Sdk(
                f"{whole.P}.agents.update",
                {
                    "agent_id": whole.A,
                    "platform_settings": {
                        "evaluation": {
                            "criteria": [{"id": "calm", "name": "Calm", "conversation_goal_prompt": "Calm."}]
                        }
                    },
                },
                label="UpdateAgent, criterion without type",
            ),
        ],
        calls=[{"agent_id": probing.A, "name": "Ada", "tags": ["a"], "config": probing.AGENT}],
        beside_ids={"name": "Mallory"},
        guarded={pattern: {"agent_id": "agent_1", "config": body} for pattern, body in guarding.AGENTS.items()},
        phrases=["change the greeting of my agent", "change an agent's prompt"],
    ),
    Sample(
        DeleteAgent,
        tool="delete_agent",
        sdk=[Sdk(f"{whole.P}.agents.delete", {"agent_id": whole.A})],
        phrases=["delete the old sales agent"],
    ),
    Sample(
        DuplicateAgent,
        tool="duplicate_agent",
        request={"name": "Bea"},
        sdk=[Sdk(f"{whole.P}.agents.duplicate", {"agent_id": whole.A, "name": "Bea é"})],
        calls=[{"agent_id": probing.A, "name": "Bob"}],
        phrases=["make a copy of this agent to try something"],
    ),
    Sample(GetAgentLink, tool="get_agent_link", sdk=[Sdk(f"{whole.P}.agents.link.get", {"agent_id": whole.A})]),
    Sample(
        GetAgentKnowledgeSize,
        tool="get_agent_knowledge_size",
        sdk=[Sdk(f"{whole.P}.agents.knowledge_base.size", {"agent_id": whole.A})],
    ),
    Sample(
        SimulateConversation,
        tool="simulate_conversation",
        request=plain.REHEARSAL,
        makes=("conversation_id", "conversation_id"),
        sdk=[Sdk(f"{whole.P}.agents.simulate_conversation", whole.REHEARSAL)],
        guarded=guarding.REHEARSALS,
    ),
    Sample(
        StreamSimulation,
        tool="simulate_conversation",
        request=plain.REHEARSAL,
        answers=(200, "application/x-ndjson"),
        sdk=[Sdk(f"{whole.P}.agents.simulate_conversation_stream", whole.REHEARSAL)],
        calls=[probing.REHEARSING],
        beside_ids={"caller": "Hello"},
        guarded=guarding.REHEARSALS,
        phrases=["rehearse the agent with an angry caller", "simulate a conversation before we go live"],
    ),
]
