"""The audit log: who read which forecasts and decided what, on disk before the answer is sent."""
