"""Where engine meets database and queue."""
