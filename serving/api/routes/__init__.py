"""One file per resource: parse, call one function, answer."""
