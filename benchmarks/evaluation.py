"""Images a second of each model in evaluation, on one core, by the size of the batch."""

from functools import partial

from measuring import Result, interleaved, write

IMAGES = 512
BATCHES = (32, 64, 128, 256, 512)
REPETITIONS = 5
# Model, height and width, channels: as the studies train them at report scale or, with a width, at demo scale.
MODELS = {
    "MNIST CNN": ({"name": "mnist-cnn"}, 28, 1),
    "ResNet20": ({"name": "resnet20"}, 32, 3),
    "ResNet18, 7x7 stem": ({"name": "resnet18", "stem": "imagenet"}, 32, 3),
    "ResNet18, 3x3 stem, width 16": ({"name": "resnet18", "stem": "cifar", "width": 16}, 32, 3),
}


def main() -> None:
    """Measure every size of batch of a model in turn, model by model."""
    results = []
    for name, (model, size, channels) in MODELS.items():
        work = {str(batch): partial(pass_of(model, size, channels), batch) for batch in BATCHES}
        for batch, seconds in interleaved(work, REPETITIONS).items():
            rates = [IMAGES / each for each in seconds]
            results.append(Result.of("evaluation", f"{name}, batch {batch}", "images/s", "processor", rates))
    write("evaluation", results)


def pass_of(model, size, channels):
    """Return a function that evaluates all images in batches of a given size, as a run does."""
    import torch

    from replication.system.memory import keep_freed_memory
    from replication.training import evaluation
    from replication.training.batches import load_splits
    from replication.training.determinism import make_deterministic
    from replication.training.models import build_model
    from support import run_settings, tiny_dataset

    make_deterministic(1)
    keep_freed_memory()
    settings = run_settings(model=model)
    data = tiny_dataset(test_count=IMAGES, size=size, channels=channels, classes=10)
    split = load_splits(data, settings.data, torch.device("cpu"))[2]
    network = build_model(settings.model, channels, 10).to(memory_format=torch.channels_last)

    def evaluate(batch):
        evaluation.EVALUATION_BATCH = batch
        evaluation.predict(network, split, lambda of, images: of(images).float(), 10)

    return evaluate


if __name__ == "__main__":
    main()
