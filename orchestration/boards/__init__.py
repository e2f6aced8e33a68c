"""Boards: `charts/*.yml` and a published copy in, whole HTML pages out. No engine, no Dagster, no clock.

A page is drawn on this side, as HTML with plain SVG curves: nothing is fetched by the page, text stays text at
every width, and every number can be read by a screen reader, searched and copied.
"""
