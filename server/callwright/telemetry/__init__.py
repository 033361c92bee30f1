"""Telemetry for the operator: log lines, metrics and spans. It never contains conversation text or secrets."""
