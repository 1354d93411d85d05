"""Exact programs (HiGHS): a block's sessions and rooms, and the seats of settled sessions."""
