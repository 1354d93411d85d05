"""What is told of a forecast: scores, calibration by groups of rows, tables, charts and runs in MLflow."""
