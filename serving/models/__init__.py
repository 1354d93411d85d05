"""Models and profiles that serve, as snapshots that never change, with the live events since the night."""
