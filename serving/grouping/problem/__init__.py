"""The problem and its plan: students, adults, rooms, blocks, policy, and sessions."""
