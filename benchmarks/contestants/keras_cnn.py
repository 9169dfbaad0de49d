"""The MNIST CNN as Keras' documentation would have it, on TensorFlow: `keras_cnn.py <images> <epochs>`."""

import os
import sys
import time
from pathlib import Path

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
sys.path.insert(0, str(Path(__file__).parents[1]))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from contest import report  # noqa: E402
from keras import layers  # noqa: E402


class Clock(keras.callbacks.Callback):
    """Notes wall and processor seconds of each epoch, its validation included."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002 - Keras' signature
        """Begin."""
        self.start = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002 - Keras' signature
        """End."""
        self.seconds.append((time.perf_counter() - self.start[0], time.process_time() - self.start[1]))


tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
images, epochs = int(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(0)


def split(count):
    """Return random images, as uint8 scaled to [0, 1], and labels."""
    pixels = random.integers(0, 256, (count, 28, 28, 1), np.uint8)
    return pixels.astype("float32") / 255, random.integers(0, 10, count)


model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="relu"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
clock = Clock()
model.fit(
    *split(images),
    validation_data=split(images // 4),
    batch_size=32,
    epochs=epochs,
    verbose=0,
    callbacks=[clock],
)
report(images, clock.seconds[1:])
