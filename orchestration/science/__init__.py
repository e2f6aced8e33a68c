"""Statistics: arrays and Arrow tables in and out; no orchestrator, engine, environment or clock."""
