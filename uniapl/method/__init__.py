"""How a policy is trained: the objective's equations, the trainers that minimise it, and how a training is resumed."""
