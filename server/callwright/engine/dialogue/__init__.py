"""The conversation runtime: pure functions of what they are given. No database, no settings, no clock of its own.

`agent` reads a configuration; `turn` is the turn loop, which every kind of conversation runs; it puts the `prompt`
together (with `variables`, `passages`, `voices`), asks an `llm` (`chat_completions`, or `offline`) and runs `tools`;
`record` has the shape of a turn. `simulation` rehearses with a `simulated_user`; `analysis` judges with a `judge`.
Passages of documents are looked up by a `Retriever` (`passages`), of which `bm25` is the one that there is.
"""
