"""Scale small: real prompts for a real language model, and a teacher that is the model itself, edited.

evaluation     the published IFEval and IFBench, read out of an installed package
topics, instructions, prompts   prompts of our own in IFEval's form, for training, validation and test
editor         a response made to obey, by a deterministic editor per instruction type
sampling, demonstrations, report   answers of the base, edited; what the editing costs
"""
