"""A policy that scales a learning rate by what it observes, and proximal policy optimization (arXiv:1707.06347) of it.

Actor and critic are perceptrons with two hidden layers of 32 tanh units, as in the public code that the controller
`reinforcement_learned` follows. The actor's output is the mean of a normal distribution, whose deviation is learned;
what is drawn from it, clipped to [-1, 1], is the action. Observations are divided by the deviation that they have had
so far, around their mean, and rewards by that of an update.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

HIDDEN = 32
CLIP = 0.2
DISCOUNT, TRACE = 0.99, 0.95  # gamma and lambda of generalised advantages (arXiv:1506.02438)
PASSES = 10  # over the experience of an update
STEP_SIZE = 3e-3
FIRST_DEVIATION = 0.5
FURTHEST = 5.0  # of a normalised observation
SMALLEST = 1e-8


@dataclass(frozen=True)
class Episode:
    """What one training of the small model has given.

    Attributes
    ----------
    observations
        Shape (decisions, observed), as they were before they were normalised.
    actions
        Shape (decisions,), as they were drawn: before they were clipped.
    rewards
        Shape (decisions,): what followed each action.
    """

    observations: Tensor
    actions: Tensor
    rewards: Tensor


class Policy:
    """Actor, critic, and how observations are normalised; it is learned, or frozen by not updating it.

    Parameters
    ----------
    observed
        How many numbers it observes.
    generator
        Draws the initial weights.
    """

    def __init__(self, observed: int, generator: torch.Generator) -> None:
        self.actor = _perceptron(observed, generator)
        self.critic = _perceptron(observed, generator)
        self.log_deviation = nn.Parameter(torch.tensor(FIRST_DEVIATION).log())
        weights = [*self.actor.parameters(), *self.critic.parameters(), self.log_deviation]
        self.optimizer = torch.optim.Adam(weights, lr=STEP_SIZE)
        self.count = 0
        self.mean, self.squares = torch.zeros(observed), torch.zeros(observed)

    def state_dict(self) -> dict[str, Any]:
        """Return all that it has learned, as tensors and plain values."""
        return {
            "actor": self.actor.state_dict(),
            "critic": self.critic.state_dict(),
            "log_deviation": self.log_deviation.detach(),
            "optimizer": self.optimizer.state_dict(),
            "count": self.count,
            "mean": self.mean,
            "squares": self.squares,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self.actor.load_state_dict(state["actor"])
        self.critic.load_state_dict(state["critic"])
        self.log_deviation.data.copy_(state["log_deviation"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.count, self.mean, self.squares = state["count"], state["mean"], state["squares"]

    @torch.no_grad()
    def action(self, observation: Tensor, generator: torch.Generator | None = None) -> float:
        """Return an action: one that is drawn, or without a generator the mean."""
        mean = self.actor(self._normalised(observation)).squeeze(-1)
        if generator is not None:
            mean = mean + self.log_deviation.exp() * torch.randn((), generator=generator)
        return float(mean)

    def _normalised(self, observations: Tensor) -> Tensor:
        deviation = (self.squares / max(self.count, 1)).sqrt()
        scaled = (observations - self.mean) / torch.where(deviation > SMALLEST, deviation, 1.0)
        return scaled.clamp(-FURTHEST, FURTHEST)

    def update(self, episodes: list[Episode]) -> None:
        """Improve it by what several episodes have given, and then normalise by their observations too."""
        observed = self._normalised(torch.cat([episode.observations for episode in episodes]))
        actions = torch.cat([episode.actions for episode in episodes])
        rewards = _standardised(torch.cat([episode.rewards for episode in episodes]))
        lengths = [len(episode.rewards) for episode in episodes]
        with torch.no_grad():
            values = self.critic(observed).squeeze(-1)
            before = self._log_chance(observed, actions)
            parts = zip(rewards.split(lengths), values.split(lengths), strict=True)
            advantages = torch.cat([advantages_of(*part) for part in parts])
            returns = advantages + values
            advantages = _standardised(advantages)
        for _ in range(PASSES):
            ratio = (self._log_chance(observed, actions) - before).exp()
            clipped = ratio.clamp(1 - CLIP, 1 + CLIP)
            gain = torch.minimum(ratio * advantages, clipped * advantages).mean()
            error = (self.critic(observed).squeeze(-1) - returns).square().mean()
            self.optimizer.zero_grad()
            (error / 2 - gain).backward()
            self.optimizer.step()
        for episode in episodes:
            self._note(episode.observations)

    def _log_chance(self, observed: Tensor, actions: Tensor) -> Tensor:
        """Return the logarithms of the densities of actions, up to a constant."""
        distance = (actions - self.actor(observed).squeeze(-1)) / self.log_deviation.exp()
        chance: Tensor = -distance.square() / 2 - self.log_deviation
        return chance

    def _note(self, observations: Tensor) -> None:
        """Take observations into the mean and the sum of squares around it (Welford)."""
        for observation in observations:
            self.count += 1
            distance = observation - self.mean
            self.mean = self.mean + distance / self.count
            self.squares = self.squares + distance * (observation - self.mean)


def advantages_of(rewards: Tensor, values: Tensor) -> Tensor:
    """Return the generalised advantages of an episode's actions; after its last one nothing follows.

    Examples
    --------
    >>> advantages_of(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))
    tensor([0.9900, 0.0000])
    """
    result, following, later = torch.zeros_like(rewards), 0.0, 0.0
    for step in range(len(rewards) - 1, -1, -1):
        surprise = float(rewards[step]) + DISCOUNT * following - float(values[step])
        later = surprise + DISCOUNT * TRACE * later
        result[step] = later
        following = float(values[step])
    return result


def _standardised(values: Tensor) -> Tensor:
    return (values - values.mean()) / (values.std() + SMALLEST)


def _perceptron(inputs: int, generator: torch.Generator) -> nn.Sequential:
    layers = [nn.Linear(inputs, HIDDEN), nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, 1)]
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    layers[-1].weight.data *= 0.01  # at first the rate is nearly left as it is
    return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])
