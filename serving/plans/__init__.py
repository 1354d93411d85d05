"""Use cases around a plan: recommend a day, open a stored plan, judge an edit, seat a late student."""
