"""Storage: engines, pragmas, connections and the migration runner. Tables belong to `engine` and `ledger`."""
