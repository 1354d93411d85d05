"""The roster's files: how a folder or archive is opened, which columns each file has, and what a cell may hold."""
