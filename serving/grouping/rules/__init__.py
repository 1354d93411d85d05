"""Rules: the checker of hard rules, the objective, and the reasons drawn from both."""
