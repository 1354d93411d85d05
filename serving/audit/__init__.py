"""The audit log: who read which forecasts and decided what, kept before the answer is given."""
