"""What teams do around the plan, measured: is a weak skill found, is nobody named, does the playlist fit the log."""
