"""Result rows and their renderings: table, CSV, JSON."""
