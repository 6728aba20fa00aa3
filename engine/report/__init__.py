"""Result rows and their renderings: verdict, cards, table, CSV, JSON.

`results` is the only place where samples become figures; everything else reads its rows.
"""

from engine.report.cards import Card, cards, cost_per_request, tail_words
from engine.report.cautions import cautions
from engine.report.document import SCHEMA, document, to_csv, to_json
from engine.report.remarks import remarks
from engine.report.result import METRICS, Client, Recall, Requests, Result, results, sample_row
from engine.report.table import table
from engine.report.verdict import front_tier, verdict
from engine.report.wording import Verdict

__all__ = [
    "METRICS",
    "SCHEMA",
    "Card",
    "Client",
    "Recall",
    "Requests",
    "Result",
    "Verdict",
    "cards",
    "cautions",
    "cost_per_request",
    "document",
    "front_tier",
    "remarks",
    "results",
    "sample_row",
    "table",
    "tail_words",
    "to_csv",
    "to_json",
    "verdict",
]
