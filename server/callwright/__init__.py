"""Callwright: an MCP server that builds, rehearses and watches voice agents."""

__version__ = "0.1.0"
