"""How long texts may be that come in from outside, for files, the roster and the service alike; imports nothing."""

LONGEST_ID = 200
"""The most characters of an id of a student, a skill or a source, of a roster or a log, in a file or a request."""

LONGEST_ADDRESS = 4000
"""The most characters of an id of an item or an event: learning-technology standards and research logs write sentences.
"""
