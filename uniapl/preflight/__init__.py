"""What a machine lacks for a scale, found before anything is paid for: checks, and the first steps of two trainings."""
