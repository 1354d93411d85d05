"""What serves: models and profiles that belong together as one immutable view, and what came in since."""
