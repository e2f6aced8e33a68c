"""Orchestration of the retention warehouse: landing, dbt, scores, publishing. Nothing is defined here."""

import os

# Fits of four parameters call linear algebra tens of thousands of times, each call far shorter than waking a
# second thread: with two, the scores of a night took five times as long. Read when numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
