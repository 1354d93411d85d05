"""Records: what a night leaves behind, in MLflow, as reports, and as published profiles."""
