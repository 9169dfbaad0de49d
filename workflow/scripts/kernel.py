"""The kernel of a notebook: `kernel.py -f <connection file> ...`, with the other arguments of `ipykernel_launcher`.

A script of the kind of `train.py`, see there. Papermill starts it (`replication.report.surroundings`), and interrupts
it even where it ends by itself.
"""

import os
import sys

sys.path[0] = __file__.removesuffix("scripts/kernel.py")

from replication.runs.forks.client import done_in_fork  # noqa: E402

if not done_in_fork(os.devnull, listens=True):  # papermill says what has become of a kernel
    from replication.system import interruption

    interruption.listen()  # until there is a kernel

    from ipykernel.kernelapp import launch_new_instance

    interruption.stop_listening()
    launch_new_instance(parent_handle=os.getppid())  # which a fork has not had when it imported this
