"""From profiles and outcomes to registered model versions."""
