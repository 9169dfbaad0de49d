"""Warm-up, stable, decay: a schedule of one's own, as a study names it. Copy this file to begin yours.

A schedule is a function of progress through the budget, from 0 at the first step to 1 at the end, to a multiplier of
the base learning rate. What stands after `progress` are its settings: a study gives them by name.
"""


def warmup_stable_decay(progress: float, warm: float = 0.05, stable: float = 0.8) -> float:
    """Rise linearly from 0 over `warm` of the budget, stay at 1 up to `stable` of it, fall linearly to 0.

    Sources: Hu et al., MiniCPM, arXiv:2404.06395, section 4; Hägele et al., arXiv:2405.18392, with a linear decay.
    """
    if progress < warm:
        return progress / warm
    if progress <= stable:
        return 1.0
    return (1.0 - progress) / (1.0 - stable)
