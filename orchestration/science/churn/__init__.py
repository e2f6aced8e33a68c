"""Whether each customer orders within a horizon: probabilities, their reasons, and no judgement."""
