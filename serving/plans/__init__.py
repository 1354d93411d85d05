"""Use cases around a plan: recommend a day, open a stored plan, evaluate an edit, seat a late student."""
