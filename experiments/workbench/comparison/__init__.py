"""Whether runs may be compared, which is better, and the page that says so."""
