"""What each student needs on a day, and why."""
