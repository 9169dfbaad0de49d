# Commands of scripts that a fork may run, in a tenth of the time that `script:` takes.

import shlex

from snakemake.settings.types import DeploymentMethod

from replication.report.surroundings import environment
from replication.runs.forks.client import KERNELS
from replication.runs.forks.launch import start_fork_server
from replication.runs.forks.server import IMPORTS

CONDA = DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method


def command_of(script, **arguments):
    """The command of every job of a script, as far as it is the same. A conda environment brings its own Python."""
    python = "python" if CONDA else sys.executable
    values = [f"{name}={value}" for name, value in arguments.items()]
    command = shlex.join([python, f"{workflow.basedir}/workflow/scripts/{script}", *values])
    return command.replace("{", "{{").replace("}", "}}")


# Importing takes most of a short job's time. If there are several here, one process does it for all of them; on
# a cluster, and in containers and conda environments, each job does it itself.
FORKED = {script.removesuffix(".py") for script in IMPORTS}  # rules have the names of their scripts
FORK_SERVERS = []  # a server ends when this reference to it goes


onstart:
    if workflow.is_main_process and workflow.executor_plugin.name == "local":
        # Where jobs a second are limited, as they are by default, Snakemake wakes up every second for ever after each
        # job that it has started, and looks at all that wait: with 200 runs that takes a fifth of a core.
        workflow.scheduler.job_rate_limiter = None
        jobs = [job.rule.name for job in workflow.dag.needrun_jobs() if job.rule.name in FORKED]
        if jobs.count("execute_notebook") > 1:
            home = Path(".snakemake/surroundings").absolute()
            FORK_SERVERS.append(
                start_fork_server(
                    ".snakemake",
                    f"{LOGS}/kernel-server.log",
                    "cpu",
                    KERNELS,
                    environment(os.environ, home),
                )
            )
        if len(jobs) > 1:  # the last one, as its jobs have the environment that it has
            FORK_SERVERS.append(start_fork_server(".snakemake", f"{LOGS}/fork-server.log", CONFIG.device))
