"""What people change on the board: seats, sessions, suggestions and the decision."""
