"""Works on a plan after it is made: evaluates and repairs edits, ranks seats for one student, finds alternatives."""
