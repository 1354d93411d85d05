"""What a roster knows of people beside who they are in regroup: their ids in other systems, and display names.

`id_table` translates the ids that a log has into those of the roster. `vault` keeps display names in a file of its own,
where an installation wants that; nothing else of regroup holds them. `columns` finds both in the files of a roster.
"""
