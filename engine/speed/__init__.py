"""Speed benchmarks: plan, filler, runner, metrics."""
