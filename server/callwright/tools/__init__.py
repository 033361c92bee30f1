"""What the model sees. The toolsets, in the order in which they are listed.

Names only: a module is imported when one of its tools is called.
"""

TOOLSETS = (
    "callwright.tools.agents",
    "callwright.tools.conversations",
    "callwright.tools.widget",
    "callwright.tools.knowledge_base",
    "callwright.tools.phone_numbers",
    "callwright.tools.secrets",
    "callwright.tools.agent_tools",
    "callwright.tools.llms",
    "callwright.tools.agent_tests",
    "callwright.tools.mcp_servers",
    "callwright.tools.calls",
    "callwright.tools.workspace",
    "callwright.tools.server",
)
