# pyright: basic
"""Runs in an environment that has the SDK: `python -m tests.sdk.drive BASE_URL PEER_URL`, the key on standard input.

Every operation of the platform once with arguments for which it should succeed, and every refusal that it documents.
"""

import sys

from . import (
    agent_tests,
    agent_tools,
    agents,
    auth_connections,
    calls,
    conversations,
    knowledge_base,
    mcp_servers,
    phone_numbers,
    pronunciation,
    unknown,
    widget,
    workspace,
)
from .sdk import Sdk

GROUPS = (
    workspace,
    knowledge_base,
    agent_tools,
    agents,
    auth_connections,
    pronunciation,
    widget,
    conversations,
    agent_tests,
    phone_numbers,
    calls,
    mcp_servers,
    unknown,
)

sdk = Sdk(sys.argv[1], sys.stdin.readline().strip(), sys.argv[2])
for group in GROUPS:
    group.sweep(sdk)
