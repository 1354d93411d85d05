"""Rosters that other systems export: OneRoster 1.1 and 1.2, Microsoft School Data Sync, a class list.

Each reader gives the same `SchoolLists`: schools, terms, classes, people and enrollments. Names, e-mail addresses,
phone numbers and passwords are columns that no reader asks for. `enrollments` finds who is in which class from a day
on, and `teams` makes of it the rows that a folder of roster files would have, by what people said of each team, which
`questions` asks.
"""
