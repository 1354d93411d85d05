"""How fast and how steady the service answers: real processes, real HTTP, load from a process of its own."""
