"""Who searches when: one queue, in which schools and keys take turns."""
