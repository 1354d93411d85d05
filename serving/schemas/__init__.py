"""The bodies of requests and answers as the OpenAPI contract shows them, one file per resource."""
