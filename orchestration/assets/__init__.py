"""The tables of the night as Dagster assets; ingest, dbt, scoring and publish meet through asset keys alone."""
