"""HTTP: routes, their dependencies, middleware, and problem documents; nothing else knows the web framework."""
