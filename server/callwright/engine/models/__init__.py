"""Language models: their names, and the routes from names to endpoints."""
