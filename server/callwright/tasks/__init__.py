"""Long tool calls that outlive their request: their execution, ownership and protocol."""
