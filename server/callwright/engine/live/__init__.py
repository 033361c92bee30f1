"""Live conversations: WebSocket sessions with real clients.

`accept` admits a client: `start` checks its permissions, `frames` parses its initiation data. A `session` then handles
the user's input and runs the agent. It is built from parts that do not know each other's internals:

- `medium` is the interface between a session and the user's connection. `text_medium` is the only implementation: it
  reads frames from a `client_socket`, reports the agent's turns as `agent_events`, and lets the client's program run
  `client_tools`. Another kind of connection is another `Medium`, created in `accept`.
- `inbox` queues the messages that the agent has not answered yet; `timers` ring, among them the `silence` timers.
- `recorder` persists the conversation from its start, `closing` persists its end; `ending` then analyses it.

`leases` find conversations left open by dead processes; `mocking` skips tools that a client wants mocked.
"""
