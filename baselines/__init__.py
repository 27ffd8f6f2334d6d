"""The training methods, siblings with one contract (uniapl/config/method.py), and what they share (common.py)."""
