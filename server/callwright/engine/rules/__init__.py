"""The handlers of the REST API's operations: one module for each resource, named as in `contract/`."""
