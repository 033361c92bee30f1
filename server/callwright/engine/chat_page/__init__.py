"""A page on which a person talks with an agent in text: `/agents/{id}/chat`.

`page.py` serves it, `terms.py` sets what the agent's owner wrote, `files/` is what the browser gets. The conversation
itself is held over the WebSocket of `engine/live/`, as with any other client.
"""
