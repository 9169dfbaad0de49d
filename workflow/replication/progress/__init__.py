"""How far the runs are: read from their folders and logs, without writing or locking anything."""
