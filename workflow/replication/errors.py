"""Errors that a user can mend. Each message names the file and the key, and says what to do."""


class ReplicationError(Exception):
    """Base of the errors that are shown without a traceback."""


class ConfigurationError(ReplicationError):
    """A setting is unknown, misspelt, of the wrong type or impossible."""


class DataError(ReplicationError):
    """A data set cannot be had, or is not what it should be."""


class ResultsError(ReplicationError):
    """Results are missing, duplicated or at odds with each other."""


class RunError(ReplicationError):
    """A run cannot be trained here."""
