"""Insight: where a team does worse than expected, and its digest of a week."""
