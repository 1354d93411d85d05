"""Experiments that can be compared: run files of choices, refuse unfair comparisons, say better, equal or worse."""

import os

# LightGBM reads it when it is loaded: on a machine with other work, threads that wait by spinning make training slow
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
