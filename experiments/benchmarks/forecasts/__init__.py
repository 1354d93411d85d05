"""How good the forecasts are, on public logs and beside published models."""
