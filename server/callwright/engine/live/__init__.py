"""Conversations of real clients, over a WebSocket.

`accept` lets a client in: who may is decided in `start`, what it brings along is read by `frames`. A `session` then
takes what the user does and lets the agent talk. It is put together from parts that do not know each other's insides:

- `medium` is the seam between a session and the connection with its user. `text_medium` is the one that there is: it
  reads frames from a `client_socket`, tells what the agent does as `agent_events`, and has the client's program carry
  out `client_tools`. Another kind of connection is another `Medium`, made in `accept`.
- `inbox` holds the messages that the agent has not come to; `timers` ring, `silence` with those of a silent user.
- `recorder` stores the conversation from its start on, `closing` its end; `ending` then analyses it.

`leases` find what a process that is gone has left open; `mocking` leaves out tools that a client wants mocked.
"""
