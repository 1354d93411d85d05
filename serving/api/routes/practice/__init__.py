"""What teams do around a plan: reports on sessions, goals, relationships and choices."""
