"""The engine: what TRL's trainers define, computed faster; without it every trainer is TRL's own path.

packing.py, attention.py   the training pass without padding, each prompt once
trainer.py                 EngineTrainer: TRL's GRPOTrainer with any of these, by super() alone
"""
