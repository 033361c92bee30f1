"""The protocol's own conformance suites and the Inspector's lint, run against the product's server."""
