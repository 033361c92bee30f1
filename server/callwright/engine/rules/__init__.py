"""The rules of each resource: one file a resource, named as in `contract/`."""
