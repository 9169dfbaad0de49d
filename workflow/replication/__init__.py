"""Replication of five reports on early stopping and learning-rate schedules."""
