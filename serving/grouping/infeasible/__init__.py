"""Why a day has no plan, and the least that would have to give."""
