"""Tool-calling evaluation: suites, asking, scoring. Pure: no database, no pages."""
