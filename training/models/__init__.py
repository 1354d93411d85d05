"""Models: boosted trees, the baselines beside them, their calibration, and the files that hold them."""
