"""lm-eval tasks: `lm_eval --include_path $(python -m uniapl.generate.tasks) --tasks uniapl_ifeval ...`."""
