"""The meaning of a workflow: its graph, its problems, the choice of an edge, and its presentation.

The runtime and the explaining tools share this package; nothing in it talks to a model or a database.
"""
