"""How fast the feature kernel is, and whether it agrees with plain pandas."""
