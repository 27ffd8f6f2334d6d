"""The method: the objective on one page, the trainers that minimise it, and how a training is resumed."""
