import hashlib
from typing import get_args

import pytest
import torch

from replication.training.randomness import Purpose, stream, stream_seed

PURPOSES = get_args(Purpose)


def test_streams_differ_between_purposes_and_between_seeds():
    seeds = [stream_seed(seed, purpose) for seed in range(200) for purpose in PURPOSES]
    assert len(set(seeds)) == 200 * len(PURPOSES)


def test_seeds_are_in_the_range_that_torch_takes_and_use_all_of_it():
    seeds = [stream_seed(seed, "model") for seed in range(1000)]
    assert min(seeds) >= 0
    assert 2**62 < max(seeds) < 2**63
    assert sum(seed >= 2**62 for seed in seeds) == pytest.approx(500, abs=80)


def test_a_stream_is_the_same_on_every_machine_and_in_every_version():
    start_of_digest = hashlib.sha256(b"1/data order").hexdigest()[:16]
    assert stream_seed(1, "data order") == int(start_of_digest, 16) // 2 == 4614070761638225413


def test_a_stream_starts_anew_each_time_and_leaves_the_default_generator_alone():
    before = torch.get_rng_state()
    first, second = stream(3, "probing"), stream(3, "probing")
    drawn = torch.randperm(50, generator=first)
    assert torch.equal(drawn, torch.randperm(50, generator=second))
    assert not torch.equal(drawn, torch.randperm(50, generator=first))
    assert first.device == torch.device("cpu")
    assert torch.equal(torch.get_rng_state(), before)
