"""A roster read over HTTP from a hub that speaks OneRoster 1.1 or 1.2, as the files that an export of it would have.

`settings` says where the hub is and who asks, `client` asks once more where an answer is broken, `lists` reads a list
page by page until it is known to be whole, and `download` makes OneRoster's CSV files of the lists, so that everything
after it is the same as for an export: checks, preview, questions, and the limit on students who are gone.
"""
