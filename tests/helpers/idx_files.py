"""Files in MNIST's format."""

import struct

import numpy as np

IDX_SHAPES = {
    "train-images-idx3-ubyte": (6, 4, 5),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (3, 4, 5),
    "t10k-labels-idx1-ubyte": (3,),
}


def idx_file(values: np.ndarray) -> bytes:
    """Write an IDX file as its format's description says, one value after another."""
    sizes = b"".join(struct.pack(">i", size) for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + bytes(int(value) for value in values.ravel())
