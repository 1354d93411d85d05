"""What adults change in a plan before they decide on it, and the decision."""
