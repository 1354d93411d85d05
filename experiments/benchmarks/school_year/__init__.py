"""A real school year night by night: how often the checks of a night cry wolf, and what they miss.

| module | does |
|---|---|
| `champions` | real nights on a sample of the students, every few weeks: who is promoted, and whether that was right |
| `replay` | measures every night of the year with all students, each school its tenth, as the product does |
| `plants` | changes what was measured as a fault would have, without measuring the year anew |
| `benchmark` | judges all of them with the product's own limits, and prints the figures |
"""
