"""Questions about models, features and grouping policies, and their verdicts."""
