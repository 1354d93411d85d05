"""What `python -m serving` does besides serving."""
