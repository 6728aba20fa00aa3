"""The commands of `studio`, one module a subject; they import what they need when they run,
so that `studio --help` stays quick."""
