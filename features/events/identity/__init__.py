"""Which events are the same, and whose: ids, equal rows, other exports, copied students, what was taken back."""
