"""Statistics: arrays and Arrow tables in, arrays and Arrow tables out; no orchestrator, engine, environment or clock."""
