"""Training beside its peers: epochs with their evaluation, each contestant in processes of its own on one core."""

import json
import os
import subprocess
import sys
from pathlib import Path

from measuring import ROOT, Result, matrix_limit, multiplies_in_bfloat16, write

CONTESTANTS = Path(__file__).parent / "contestants"
OURS = (sys.executable, "ours.py")
# Its packages need other versions than the project's: `make bench` installs them there.
KERAS = str(ROOT / ".venv-peers/bin/python")
ROUNDS = 3
# By contest: images and epochs, and what takes part; the first is what the others are compared with.
CONTESTS = {
    "MNIST CNN, batch 32": (
        (12800, 4),
        {
            "Keras on TensorFlow": (KERAS, "keras_cnn.py"),
            "ours, float32": (*OURS, "mnist-cnn", "float32"),
            "ours, bfloat16": (*OURS, "mnist-cnn", "bfloat16"),
        },
    ),
    "ResNet18, 7x7 stem, batch 32": (
        (512, 4),
        {
            "plain script, PIL and DataLoader": (sys.executable, "plain_resnet18.py"),
            "ours, float32": (*OURS, "resnet18", "float32"),
            "ours, bfloat16": (*OURS, "resnet18", "bfloat16"),
        },
    ),
    "ResNet20, batch 128": (
        (1024, 4),
        {"ours, float32": (*OURS, "resnet20", "float32"), "ours, bfloat16": (*OURS, "resnet20", "bfloat16")},
    ),
}


def main() -> None:
    """Hold the contests, contestants in turn, round by round."""
    results = [
        Result.of("training", f"product of matrices, {each}", "GFLOP/s", "processor", [matrix_limit(each)])
        for each in ("float32", "bfloat16")
    ]
    left_out = set() if multiplies_in_bfloat16() else {"bfloat16"}
    for contest, (size, commands) in CONTESTS.items():
        results += hold(contest, {name: c for name, c in commands.items() if not left_out & {*c}}, size)
    write("training", results)


def hold(contest: str, commands: dict[str, tuple[str, ...]], size: tuple[int, int]) -> list[Result]:
    """Return the images a second of those contestants whose Python is installed."""
    present = {name: command for name, command in commands.items() if Path(command[0]).exists()}
    rates: dict[str, dict[str, list[float]]] = {name: {"wall": [], "processor": []} for name in present}
    for _ in range(ROUNDS):
        for name, command in present.items():
            for clock, values in epochs_of(command, size).items():
                rates[name][clock] += values
    return [
        Result.of("training", f"{contest}: {name}", "images/s", clock, values)
        for name, clocks in rates.items()
        for clock, values in clocks.items()
    ]


def epochs_of(command: tuple[str, ...], size: tuple[int, int]) -> dict[str, list[float]]:
    """Run a contestant, and return its images a second in each epoch, by both clocks."""
    program, script, *arguments = command
    done = subprocess.run(
        [program, str(CONTESTANTS / script), *arguments, *map(str, size)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    found = json.loads(done.stdout.splitlines()[-1])
    pairs = found["seconds"]
    return {
        clock: [found["images"] / pair[number] for pair in pairs]
        for number, clock in enumerate(("wall", "processor"))
    }


if __name__ == "__main__":
    main()
