"""The conversation runtime: pure functions of their arguments, without a database, settings or a clock.

`agent` reads a configuration. `turn` is the turn loop of every kind of conversation: it builds the `prompt` (with
`variables`, `passages`, `voices`), asks an `llm` (`chat_completions` or `offline`) and runs `tools`. `record` builds
turns in wire form. `simulation` rehearses with a `simulated_user`; `analysis` judges with a `judge`. A `Retriever`
(`passages`) looks passages up in documents; `bm25` is the only one.
"""
