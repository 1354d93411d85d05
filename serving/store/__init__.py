"""What the service keeps, one file per kind; the roster is `features.roster`'s."""
