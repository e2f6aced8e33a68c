"""What the night touches outside Python: landing, the warehouse, the outbox. No business rules."""
