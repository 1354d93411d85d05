"""Events: answers and activities of students, checked, numbered, stored once, from files and over HTTP.

`ingest` adds files to the event log, which is `log`; what comes over HTTP waits in the database, which is `live`, and
`live.ingest` adds it. `identity` says which events are the same, and which were taken back.
"""
