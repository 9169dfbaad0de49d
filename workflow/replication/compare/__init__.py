"""Two results folders compared: one's own and published ones, those of two machines, or of two versions."""
