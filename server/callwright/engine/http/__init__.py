"""The REST API over HTTP: routes from the contract, errors in the platform's shapes."""
