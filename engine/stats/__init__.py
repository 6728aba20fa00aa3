"""All statistics (measurement.md, section 3). Screen, CSV, JSON and terminal compute nothing
of their own.

numpy is imported here, `scipy.special` on first use; `scipy.stats` never, because importing
it costs a web process more than a second. The tests hold our intervals equal to scipy's.
"""

from engine.stats.comparison import (
    NOT_DISTINGUISHABLE,
    Comparison,
    adjusted,
    compare,
    holm,
    runs_to_compare,
)
from engine.stats.intervals import Interval, wilson
from engine.stats.itl import pooled_itl
from engine.stats.summary import (
    SHOWN_FROM,
    Summary,
    confidence_label,
    describe,
    tail,
    tukey_outliers,
)

__all__ = [
    "NOT_DISTINGUISHABLE",
    "SHOWN_FROM",
    "Comparison",
    "Interval",
    "Summary",
    "adjusted",
    "compare",
    "confidence_label",
    "describe",
    "holm",
    "pooled_itl",
    "runs_to_compare",
    "tail",
    "tukey_outliers",
    "wilson",
]
