"""Evaluation: metrics with intervals, comparison with the champion, fairness, and the gate."""
