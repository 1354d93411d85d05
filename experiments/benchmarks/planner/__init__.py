"""How good the planner is: made-up days, judges of their own, and the figures."""
