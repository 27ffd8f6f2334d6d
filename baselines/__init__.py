"""The arms' trainers, siblings with one signature: `Settings` and `build(job)`."""
