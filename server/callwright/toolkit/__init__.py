"""How a function becomes a tool: published list, sealed arguments, approval, errors."""
