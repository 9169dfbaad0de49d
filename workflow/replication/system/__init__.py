"""What any program needs: files written whole, locks, logs, digests, the clock."""
