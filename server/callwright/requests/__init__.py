"""How the arguments of a tool become a document of the platform."""
