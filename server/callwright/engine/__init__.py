"""The embedded platform: a real implementation of the REST API in `contract/`, as an ASGI app on a database."""
