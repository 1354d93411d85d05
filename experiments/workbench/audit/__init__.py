"""Whether forecasts and plans serve all groups of students alike; labels are opaque, and never features."""
