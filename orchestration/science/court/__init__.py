"""The court of forecasts: what was said on past days, held against what came after them."""
