"""Several days in a row, planned towards what a week should hold."""
