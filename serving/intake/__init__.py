"""Events in the envelopes of learning-technology standards, translated to our own."""
