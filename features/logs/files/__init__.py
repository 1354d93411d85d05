"""Log files as they come: what a file is by its content, unpacked, and its table read a part at a time."""
