"""The engine's storage: transactions, references between resources, paging, sealed values, conversation records."""
