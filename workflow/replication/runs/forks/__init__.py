"""Runs forked from one process that has imported PyTorch."""
