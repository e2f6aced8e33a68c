"""Pictures of rows: curves, bars, heat tables, tables and single numbers, as HTML with plain SVG."""
