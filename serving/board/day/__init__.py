"""The page of a day: what it shows, and what it says of the last step."""
