"""Networks that run in an environment of their own, whose lock lies here; nothing of regroup imports them."""
