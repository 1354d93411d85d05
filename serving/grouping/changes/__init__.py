"""What people do with a plan after it is made: judge it, mend it, move one student, ask why not, see others."""
