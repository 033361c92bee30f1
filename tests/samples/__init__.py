"""The table of sample calls: one row for each operation and its tool, from which every sweep takes its calls.

The resources stand in the order in which their things can be made: what is referred to comes before what refers to it.
"""

from . import (
    agent_tests,
    agent_tools,
    agents,
    auth_connections,
    calls,
    conversations,
    destinations,
    knowledge_base,
    llms,
    mcp_servers,
    phone_numbers,
    pronunciation_dictionaries,
    secrets,
    voices,
    widget,
    workspace,
)
from .sample import Sample

SAMPLES: list[Sample] = [
    *knowledge_base.SAMPLES,
    *secrets.SAMPLES,
    *auth_connections.SAMPLES,
    *agent_tools.SAMPLES,
    *mcp_servers.SAMPLES,
    *agents.SAMPLES,
    *destinations.SAMPLES,
    *phone_numbers.SAMPLES,
    *agent_tests.SAMPLES,
    *conversations.SAMPLES,
    *widget.SAMPLES,
    *calls.SAMPLES,
    *pronunciation_dictionaries.SAMPLES,
    *llms.SAMPLES,
    *voices.SAMPLES,
    *workspace.SAMPLES,
]
