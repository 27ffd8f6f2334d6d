"""Timings as ratios within one process; they report and never assert."""
