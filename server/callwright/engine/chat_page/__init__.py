"""A page on which a person talks with an agent in text: `/agents/{id}/chat`.

`page.py` serves it, `terms.py` renders the texts of the agent's owner, and `files/` holds the files for the browser.
The conversation itself is held over the WebSocket of `engine/live/`, as with any other client.
"""
