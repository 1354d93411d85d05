"""School days in a row: simulated schools of five kinds, planned by any policy with what happened before as history."""
