"""A published set in the formats that others read: one module per format, numbers.py with what all of them say."""
