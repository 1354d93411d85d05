"""What people take along: sheets to print, tables, and calendars."""
