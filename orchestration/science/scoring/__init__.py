"""One night's scores: who stands trial, who speaks, and the tables that come of it."""
