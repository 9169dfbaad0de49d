"""From run folders to tables, and from tables to verdicts."""
