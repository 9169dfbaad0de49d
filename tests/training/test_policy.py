"""Proximal policy optimization, on problems whose answer is known."""

import doctest

import pytest
import torch

from replication.training import policy as module
from replication.training.policy import DISCOUNT, TRACE, Episode, Policy, advantages_of
from replication.training.randomness import stream
from support import through_a_checkpoint


def new_policy(observed=2):
    return Policy(observed, stream(1, "probing"))


def played(policy, draws, reward, count=16):
    """Return an episode of a problem in which each action is rewarded apart, given what was observed."""
    observations = torch.rand(count, 2, generator=draws)
    actions = torch.tensor([policy.action(each, draws) for each in observations])
    return Episode(observations, actions, reward(observations, actions))


def test_examples_print_what_they_say():
    assert doctest.testmod(module).failed == 0


def test_advantages_are_discounted_sums_of_surprises():
    generator = stream(1, "probing")
    rewards, values = torch.rand(6, generator=generator), torch.rand(6, generator=generator)
    following = torch.cat([values[1:], torch.zeros(1)])
    surprises = rewards + DISCOUNT * following - values
    expected = [
        sum(surprises[later] * (DISCOUNT * TRACE) ** (later - step) for later in range(step, 6))
        for step in range(6)
    ]
    assert advantages_of(rewards, values).tolist() == pytest.approx(
        [float(each) for each in expected], rel=1e-5
    )


@pytest.mark.parametrize("best", [0.7, -0.4])
def test_it_learns_the_action_that_is_rewarded(best):
    policy, draws = new_policy(), stream(2, "probing")
    observation = torch.tensor([0.5, 0.5])
    assert policy.action(observation) == pytest.approx(0, abs=0.1)
    for _ in range(40):
        policy.update([played(policy, draws, lambda _, actions: -((actions - best) ** 2)) for _ in range(4)])
    assert policy.action(observation) == pytest.approx(best, abs=0.2)
    assert policy.log_deviation < torch.tensor(module.FIRST_DEVIATION).log()


def test_it_learns_to_act_by_what_it_observes():
    policy, draws = new_policy(), stream(2, "probing")

    def reward(observations, actions):
        return -((actions - torch.where(observations[:, 0] > 0.5, 0.8, -0.8)) ** 2)

    for _ in range(60):
        policy.update([played(policy, draws, reward) for _ in range(4)])
    assert policy.action(torch.tensor([0.9, 0.5])) > 0.3
    assert policy.action(torch.tensor([0.1, 0.5])) < -0.3


def test_observations_are_normalised_by_those_so_far():
    policy = new_policy()
    seen = 100 * torch.rand(50, 2, generator=stream(3, "probing")) + 1000
    policy.update([Episode(seen, torch.zeros(50), torch.zeros(50))])
    normalised = policy._normalised(seen)
    assert normalised.mean(0).tolist() == pytest.approx([0, 0], abs=1e-3)
    assert normalised.std(0, correction=0).tolist() == pytest.approx([1, 1], rel=1e-3)
    assert policy._normalised(torch.full((2,), 1e6)).tolist() == [module.FURTHEST] * 2


def test_its_mean_action_draws_nothing_and_is_always_the_same():
    policy, draws = new_policy(), stream(2, "probing")
    observation = torch.tensor([0.1, 0.2])
    assert policy.action(observation) == policy.action(observation)
    assert policy.action(observation, draws) != policy.action(observation, draws)


def test_it_goes_on_from_its_state():
    whole, draws = new_policy(), stream(2, "probing")

    def reward(_, actions):
        return actions

    whole.update([played(whole, draws, reward)])
    other = Policy(2, stream(9, "probing"))
    other.load_state_dict(through_a_checkpoint(whole.state_dict()))
    episode = played(whole, draws, reward)
    for policy in (whole, other):
        policy.update([episode])
    observation = torch.tensor([0.3, 0.6])
    assert other.action(observation) == whole.action(observation)
    assert other.count == whole.count == 32
