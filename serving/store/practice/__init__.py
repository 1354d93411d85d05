"""What teams note around the plan: what happened in sessions, goals, who knows whom, choices of students."""
