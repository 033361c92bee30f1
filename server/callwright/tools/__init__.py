"""The MCP tools, one module for each toolset.

This file imports none of them: a module is imported when one of its tools is called.
"""

WITHOUT_TOOL = {
    "GET /v1/callwright/agents/{agent_id}/destinations": "the question of update_destinations tells them",
    "GET /v1/callwright/tools/{tool_id}/destinations": "the question of update_destinations tells them",
    "GET /v1/convai/avatars/{agent_id}": "a picture for browsers; get_widget names its address",
    "PATCH /v1/workspace/auth-connections/{auth_connection_id}": (
        "a connection is made anew, and the tools are told its id"
    ),
    "POST /v1/convai/knowledge-base": "the older way to do what create_text_document and its kin do",
    "POST /v1/pronunciation-dictionaries/add-from-file": (
        "add_pronunciation_dictionary reads the file itself, and sends its rules"
    ),
    "POST /v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/add-rules": (
        "add_pronunciation_dictionary sends the words that were there with the new ones"
    ),
    "POST /v1/pronunciation-dictionaries/{pronunciation_dictionary_id}/remove-rules": (
        "add_pronunciation_dictionary replaces all words by those of a file"
    ),
    "PATCH /v1/pronunciation-dictionaries/{pronunciation_dictionary_id}": (
        "the name, and whether it is listed: nothing that is spoken"
    ),
}
"""Operation without a tool -> the reason."""
