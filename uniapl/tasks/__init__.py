"""lm-eval tasks: `include_path` of the stage generate."""
