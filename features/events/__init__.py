"""Events: answers and activities of students, checked, numbered, stored once, from files and over HTTP."""
