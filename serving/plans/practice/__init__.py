"""What teams do around the plan: they say what happened, set goals, and let students choose."""
