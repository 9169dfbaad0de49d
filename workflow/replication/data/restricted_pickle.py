"""Reading a pickle that may hold arrays, text and numbers, and nothing else."""

import io
import pickle
from typing import Any

import numpy as np

from replication.errors import DataError


def _latin1(text: str, encoding: str) -> bytes:
    """Stand in for `codecs.encode`, by which Python 3 writes bytes in old protocols."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"refuses the encoding {encoding!r}")
    return text.encode("latin1")


# The function that an array's own pickle names; its module was renamed in numpy 2, and is private in both.
_reconstruct = np.empty(0).__reduce__()[0]

ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Look a name up among those allowed, never by importing it."""
        try:
            return ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"refuses {module_name}.{global_name}") from None


def read_pickle(content: bytes, place: str) -> Any:
    """Return the value in `content`, of Python 2 or 3.

    Parameters
    ----------
    content
        The pickle. Byte strings of Python 2 become text, of the characters with these codes.
    place
        Where it comes from, for errors.

    Raises
    ------
    DataError
        The pickle is damaged, or names anything beyond arrays; what it names is not imported, nor called.
    """
    try:
        return _Unpickler(io.BytesIO(content), encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise almost anything
        raise DataError(
            f"{place}: cannot be read safely ({error}); get it again from a trusted place"
        ) from error
