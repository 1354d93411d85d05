"""What a team wants of its plans: policy, and standing rules."""
