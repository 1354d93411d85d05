"""What the service stores: plans, decisions, API keys, idempotency keys, and the tables that hold them."""
