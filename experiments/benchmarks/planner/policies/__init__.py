"""Policies of planning school days compared: what students learn by them in the same simulated schools."""
