"""What every picture shares: its canvas, its colours, and its way to PNG bytes.

Figures are built on their own canvas, without pyplot, so that two assets can draw at once and
nothing asks for a display.
"""

from io import BytesIO
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#22313f"
MODEL = "#c0562f"
COUNTED = "#2f6f8f"


def figure(width: float, height: float) -> tuple[Figure, Any]:
    """An empty figure of a size in inches, and its axes."""
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return drawn, axes


def png(drawn: Figure) -> bytes:
    """Render a figure; the same figure gives the same bytes."""
    buffer = BytesIO()
    # Without the library's version in it, an upgrade that draws alike leaves the bytes alone.
    drawn.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return buffer.getvalue()
