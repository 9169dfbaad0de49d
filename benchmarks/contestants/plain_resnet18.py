"""ResNet18 as torchvision's documentation would have it, with PIL images and a DataLoader: `... <images> <epochs>`."""

import os
import sys
from pathlib import Path

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from contest import report, timed  # noqa: E402
from PIL import Image  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils.data import DataLoader, Dataset  # noqa: E402
from torchvision import models, transforms  # noqa: E402


class Random(Dataset):
    """Random images, as torchvision's CIFAR10 keeps them: an array, and a PIL image for each that is asked for."""

    def __init__(self, count):
        random = np.random.default_rng(0)
        self.data = random.integers(0, 256, (count, 32, 32, 3), np.uint8)
        self.targets = random.integers(0, 10, count).tolist()
        self.transform = transforms.Compose(
            [transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25))]
        )

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        return self.transform(Image.fromarray(self.data[index])), self.targets[index]


torch.set_num_threads(1)
images, epochs = int(sys.argv[1]), int(sys.argv[2])
training = DataLoader(Random(images), batch_size=32, shuffle=True)
validation = DataLoader(Random(images // 4), batch_size=32)
model = models.resnet18(num_classes=10)
loss_of = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def epoch():
    """Train over all images, then count those of the validation set that are classified right."""
    model.train()
    for batch, labels in training:
        optimizer.zero_grad()
        loss_of(model(batch), labels).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        sum((model(batch).argmax(1) == labels).sum().item() for batch, labels in validation)


report(images, timed(epoch, epochs))
