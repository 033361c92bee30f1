"""Long calls that outlive their request: what runs, who may ask for it, and how the protocol speaks of it."""
