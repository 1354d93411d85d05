"""What answers show beside what was to be expected of them: residuals, comparisons and shifts."""
