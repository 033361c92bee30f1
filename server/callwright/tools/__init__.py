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

WITHOUT_TOOL = {
    "GET /v1/convai/avatars/{agent_id}": "a picture for browsers; get_widget names its address",
    "POST /v1/convai/knowledge-base": "the older way to do what create_text_document and its kin do",
}
"""Operations for which there is no tool, and why."""
