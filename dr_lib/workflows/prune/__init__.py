"""Pruning one region: what is there, what may go, the plan, and the deletion."""
