"""What a workflow means: its graph, what is wrong with it, which edge is taken, and how it is shown.

Whoever follows one, and whoever only explains one, reads it here; nothing in it talks to a model or a database.
"""
