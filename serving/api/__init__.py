"""HTTP: routes, their dependencies, middleware and problem documents; no other package knows the web framework."""
