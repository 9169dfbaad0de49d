"""A schedule that is learned by reinforcement on small models: Xu, Dai, Kemp & Metz, arXiv:1909.09712.

Report 004 says that "it uses the validation loss as the reward, and the scaling factor as the action. Proximal policy
optimization is used to automatically learn the learning rate". The paper we could not read, nor code of its authors; of
a public re-implementation (nicklashansen/adaptive-learning-rate-schedule on GitHub) we have the observations, the size
of the networks, the reward after each action in place of the last one alone, and the noise of the first rate. From
these we infer:

- An episode is a training of a small perceptron on some of the run's own images, by the run's own optimizer, from
  weights and a first rate (within a factor of `NOISE` of the run's) that are drawn anew.
- After each epoch the policy observes the logarithms of training loss, validation loss, variance of the predictions
  (logits) for the validation images and of their change, mean and variance of the output layer's weights, and the rate
  over the first one; and multiplies the rate by `largest_factor` to the power of its action, which is from -1 to 1.
- The reward is the negative validation loss after the next epoch.
- After all updates the policy is frozen: the run itself is trained with its mean action.

All happens within the run, before its first epoch: so each seed learns a policy of its own, whose cost is counted. The
passes are in batches of the small model, which are cheaper than the run's.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from replication.errors import RunError
from replication.settings.run import Mlp
from replication.settings.schedule import ReinforcementLearned
from replication.system import interruption
from replication.training.batches import Split
from replication.training.controllers.base import RateController, RunContext
from replication.training.evaluation import EVALUATION_BATCH
from replication.training.models.mlp import mlp
from replication.training.optimizers import build_optimizer
from replication.training.policy import Episode, Policy
from replication.training.randomness import stream

EPISODES = 8  # between two updates
OBSERVED = 7
NOISE = 4.0
WORST = 10.0  # nats: the loss in place of one that is higher or no number
LEAST = 1e-12  # in place of a variance of 0, before its logarithm


class ReinforcementLearnedRate(RateController):
    """Learns a policy on small models before the first epoch, and then lets it scale the rate after each epoch."""

    def __init__(self, settings: ReinforcementLearned, context: RunContext) -> None:
        self._settings = settings
        self._context = context
        self._draws = stream(context.seed, "probing")
        self._policy = Policy(OBSERVED, self._draws)
        self._updates = 0
        self._forward = self._backward = self._observing = 0
        self._first_rate = float(self._group["lr"])
        self._history: dict[str, float] = {}
        self._logits: Tensor | None = None  # of the validation images, after the epoch before

    @property
    def _group(self) -> dict[str, Any]:
        return self._context.optimizer.param_groups[0]  # another one once the optimizer has loaded a state

    @property
    def _validation(self) -> Split:
        if self._context.validation is None:
            raise RunError("schedule reinforcement_learned: it needs validation images")
        return self._context.validation

    def begin_epoch(self, epoch: int) -> None:
        """Learn before the first epoch; before each later one, change the rate.

        Raises
        ------
        RunInterruptedError
            A signal has asked the run to end; the updates so far are kept.
        """
        if epoch == 1:
            self._learn()
            return
        logits = _logits_of(self._context.model, self._validation)
        self._observing += _batches(len(self._validation))
        rate = float(self._group["lr"])
        seen = observation(
            self._history, logits, self._logits, self._context.model, math.log(rate / self._first_rate)
        )
        self._logits = logits
        self._group["lr"] = self._scaled(rate, self._policy.action(seen))

    def _scaled(self, rate: float, action: float) -> float:
        factor: float = self._settings.largest_factor ** min(1.0, max(-1.0, action))
        return rate * factor

    def end_epoch(self, history: dict[str, float]) -> None:
        """Remember what the epoch has measured."""
        self._history = {name: float(history[name]) for name in ("train_loss", "validation_loss")}

    def _learn(self) -> None:
        count = self._settings.images
        validation = self._validation.part(0, min(count, len(self._validation)))
        training = self._context.training.part(0, min(count, len(self._context.training)))
        while self._updates < self._settings.updates:
            interruption.check()
            self._policy.update([self._play(training, validation) for _ in range(EPISODES)])
            self._updates += 1

    def _play(self, training: Split, validation: Split) -> Episode:
        """Train a small model once, and return what the policy has seen, done and got."""
        model = self._small_model(training)
        optimizer = build_optimizer(self._context.settings.optimizer, model)
        noise = NOISE ** float(2 * torch.rand((), generator=self._draws) - 1)
        first = rate = self._first_rate * noise
        observations, actions, rewards = [], [], []
        before = None
        for _ in range(self._settings.epochs):
            optimizer.param_groups[0]["lr"] = rate
            measured = {"train_loss": self._train(model, optimizer, training)}
            logits = _logits_of(model, validation)
            self._forward += _batches(len(validation))
            loss = nn.functional.cross_entropy(logits, validation.labels.cpu())
            measured["validation_loss"] = float(loss)
            rewards.append(-_bounded(measured["validation_loss"]))
            observations.append(observation(measured, logits, before, model, math.log(rate / first)))
            actions.append(self._policy.action(observations[-1], self._draws))
            rate = self._scaled(rate, actions[-1])
            before = logits
        # What follows the last action nobody has seen, and what the first epoch has given no action has brought.
        return Episode(torch.stack(observations[:-1]), torch.tensor(actions[:-1]), torch.tensor(rewards[1:]))

    def _small_model(self, training: Split) -> nn.Module:
        classes = int(self._context.training.labels.max()) + 1
        settings = Mlp(name="mlp", units=self._settings.units)
        gpus = [training.images.device] if training.images.is_cuda else []
        with torch.random.fork_rng(devices=gpus):
            torch.manual_seed(int(torch.randint(2**62, (), generator=self._draws)))
            model = mlp(settings, training.images.shape[3], classes)
        return model.to(training.images.device)

    def _train(self, model: nn.Module, optimizer: torch.optim.Optimizer, training: Split) -> float:
        """Train for one epoch; return the mean loss over its steps."""
        model.train()
        losses = []
        for indices in torch.randperm(len(training), generator=self._draws).split(
            self._context.settings.batch_size
        ):
            images, labels = training.batch(indices)
            loss = nn.functional.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        self._forward += len(losses)
        self._backward += len(losses)
        return float(torch.stack(losses).mean())

    def costs(self) -> dict[str, float]:
        """Return the passes that learning took, in batches of the small model, and those of observing the run's."""
        return {
            "learning_forward_passes": self._forward,
            "learning_backward_passes": self._backward,
            "trial_forward_passes": self._observing,
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the policy, how far it has been learned, and what the next decision needs."""
        return {
            "policy": self._policy.state_dict(),
            "draws": self._draws.get_state(),
            "updates": self._updates,
            "passes": [self._forward, self._backward, self._observing],
            "first_rate": self._first_rate,
            "history": self._history,
            "logits": self._logits,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what `state_dict` has returned."""
        self._policy.load_state_dict(state["policy"])
        self._draws.set_state(state["draws"])
        self._updates = state["updates"]
        self._forward, self._backward, self._observing = state["passes"]
        self._first_rate, self._history, self._logits = state["first_rate"], state["history"], state["logits"]


def observation(
    measured: dict[str, float], logits: Tensor, before: Tensor | None, model: nn.Module, log_rate: float
) -> Tensor:
    """Return what the policy observes after an epoch: float32, of shape (`OBSERVED`,), and finite.

    Parameters
    ----------
    measured
        `train_loss` and `validation_loss` of the epoch.
    logits, before
        Of the validation images after this epoch and the one before; None: there was none, and all were 0.
    log_rate
        Logarithm of the rate over the first one.
    """
    weights = [weight for weight in model.parameters() if weight.ndim > 1][-1].detach().float().cpu()
    changes = logits if before is None else logits - before
    values = [
        math.log(max(_bounded(measured["train_loss"]), LEAST)),
        math.log(max(_bounded(measured["validation_loss"]), LEAST)),
        _log_variance(logits),
        _log_variance(changes),
        float(weights.mean()),
        _log_variance(weights),
        log_rate,
    ]
    return torch.tensor([value if math.isfinite(value) else WORST for value in values])


def _log_variance(values: Tensor) -> float:
    variance = float(values.var())
    return math.log(max(variance, LEAST)) if math.isfinite(variance) else math.inf


def _bounded(loss: float) -> float:
    return min(loss, WORST) if math.isfinite(loss) else WORST


@torch.no_grad()
def _logits_of(model: nn.Module, split: Split) -> Tensor:
    """Return the logits of all images, on the CPU, of the model in evaluation mode."""
    model.eval()
    parts = torch.arange(len(split)).split(EVALUATION_BATCH)
    return torch.cat([model(split.batch(indices)[0]).float().cpu() for indices in parts])


def _batches(images: int) -> int:
    return -(-images // EVALUATION_BATCH)
