"""An independent verifier: a whole day as one mixed-integer program."""
