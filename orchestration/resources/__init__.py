"""What the night touches outside Python: landing files, the warehouse, the outbox. No Dagster assets, no business rules."""
