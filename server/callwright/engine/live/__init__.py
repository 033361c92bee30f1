"""Conversations of real clients, over a WebSocket.

`door` lets a client in: who may (`start`), what it brings along (`frames`). A `session` then reads what the client
sends and lets the agent talk; `telling` and `program` turn what the runtime does into frames on the `line`; `alarms`
wake the session. `keeping` stores the conversation from its start on, `ending` analyses it, and `leases` find what a
process that is gone has left open.
"""
