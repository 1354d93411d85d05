"""The public logs that forecasts are measured on, and which of their rows are learned from and judged."""
