"""Part `faults`: a service that runs while something breaks, again and again, and what is left afterwards."""
