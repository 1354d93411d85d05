"""The event log on disk: its files, what is read of them, and how they are kept small."""
