"""The miniature world: IFEval small enough for a laptop, with a scripted expert and a from-scratch Qwen3."""
