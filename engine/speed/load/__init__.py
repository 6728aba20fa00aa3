"""The load generator: schedules, generator processes, levels."""
