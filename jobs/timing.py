"""How often workers give a sign of life, and when their silence counts as death.

All follow from the lease. STUDIO_LEASE_S (internal, for tests) shortens it.
"""

from __future__ import annotations

import os

# A running job whose last heartbeat is older than this has lost its worker, in seconds.
LEASE_S = float(os.environ.get("STUDIO_LEASE_S") or 30)
HEARTBEAT_S = LEASE_S / 6
WEB_SWEEP_S = LEASE_S / 3
WORKER_SWEEP_S = LEASE_S / 6

# How often a worker looks at its job's cancel flag, in seconds.
POLL_S = 0.4
# Interactive checks end after this, in seconds.
QUICK_DEADLINE_S = 30.0
# A deleted run can be brought back for this long, in seconds.
UNDO_S = 600.0
