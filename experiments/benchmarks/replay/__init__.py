"""Past days of a real log: what each policy would have proposed on them, and what the students did then.

| module | does |
|---|---|
| `teams` | teams of students who practiced alike before the first day, since the log names no classes |
| `mornings` | what is known on each morning: forecasts of models trained on earlier days, and plain facts |
| `policies` | what plans a day: ours, and rules that a school can follow without forecasts |
| `strugglers` | who did not reach the mastery rule after all, when, and what students answered after a seat |
| `measure` | one figure for each question about the proposed days, with intervals over students and days |
| `benchmark` | the command: trains, plans team by team, and prints |
"""
