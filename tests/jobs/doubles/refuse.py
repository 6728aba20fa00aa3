from __future__ import annotations

from jobs.progress import Context, JobFailed


def handle(context: Context) -> dict[str, int]:
    """Says why it cannot go on."""
    raise JobFailed("The run of this job has been deleted.")
