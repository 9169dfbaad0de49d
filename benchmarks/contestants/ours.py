"""The trainer of this project: `ours.py <name in MODELS> <precision> <images> <epochs>`."""

import os
import sys
from pathlib import Path

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.path[:0] = [str(Path(__file__).parents[2] / part) for part in ("workflow", "tests/helpers", "benchmarks")]

import torch  # noqa: E402
from contest import report, timed  # noqa: E402

from replication.system.memory import keep_freed_memory  # noqa: E402
from replication.training.batches import load_splits  # noqa: E402
from replication.training.determinism import make_deterministic  # noqa: E402
from replication.training.models import build_model  # noqa: E402
from replication.training.trainer import Trainer  # noqa: E402
from support import run_settings, tiny_dataset  # noqa: E402

# Model, height and width, channels, batch, optimizer.
ADAM = {"name": "adam", "learning_rate": 1e-3, "epsilon": 1e-7}
SGD = {"name": "sgd", "learning_rate": 0.05, "momentum": 0.9}
MODELS = {
    "mnist-cnn": ({"name": "mnist-cnn"}, 28, 1, 32, ADAM),
    "resnet18": ({"name": "resnet18", "stem": "imagenet"}, 32, 3, 32, SGD),
    "resnet20": ({"name": "resnet20"}, 32, 3, 128, SGD),
}

name, precision, images, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
model, size, channels, batch, optimizer = MODELS[name]
make_deterministic(1)
keep_freed_memory()
settings = run_settings(
    model=model, batch_size=batch, optimizer=optimizer, precision=precision, epochs=epochs
)
# As many images again for validation, a fifth.
data = tiny_dataset(train_count=images * 5 // 4, size=size, channels=channels, classes=10)
network = build_model(settings.model, channels, 10).to(memory_format=torch.channels_last)
run = Trainer(settings, 1, network, load_splits(data, settings.data, torch.device("cpu")), 10)
report(images, timed(lambda: run.train_epoch(lambda: None), epochs))
