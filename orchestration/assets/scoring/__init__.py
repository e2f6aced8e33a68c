"""The scores of the night: read the ledger, hold court, let the champions speak, keep what was good."""

from orchestration.assets.scoring.assets import scoring_assets

__all__ = ["scoring_assets"]
