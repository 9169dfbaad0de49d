"""Errors that a user can correct. Each message names the file and the key, and says what to do."""


class ReplicationError(Exception):
    """Base of the errors that are shown without a traceback."""


class ConfigurationError(ReplicationError):
    """A setting is unknown, misspelt, of the wrong type or impossible."""


class DataError(ReplicationError):
    """A data set is not available, or is not what it should be."""


class ResultsError(ReplicationError):
    """Results are missing, duplicated or contradictory."""


class RunError(ReplicationError):
    """A run cannot be trained here."""
