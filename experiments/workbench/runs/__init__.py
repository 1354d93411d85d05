"""From a file of choices to forecasts of rows that nothing was learned from, and their record."""
