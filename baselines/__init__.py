"""The arms' trainers, siblings with one signature: `Settings`, `build(job)` and `cost_per_step(settings)`."""
