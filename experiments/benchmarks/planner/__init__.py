"""How good the planner is: synthetic days, an independent verifier, and the figures."""
