"""The method: the objective on one page, and the trainer that minimises it."""
