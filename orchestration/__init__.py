"""Orchestration of the retention warehouse: landing, dbt, scores, publishing. Nothing is defined here."""
