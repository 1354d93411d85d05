"""Events of learning-technology standards (xAPI statements, Caliper events) as events of ours, from files and HTTP."""
