# What a call shows: how far the runs are. Snakemake's own text of each job is in its log.

from replication.progress.console import Console, Job, take_over
from replication.progress.survey import read_seconds


def jobs_of_call():
    return [
        Job(job.rule.name, job.wildcards_dict.get("study", ""), job.wildcards_dict.get("arm", ""))
        for job in workflow.dag.needrun_jobs()
    ]


# With `--verbose`, `--printshellcmds`, `--quiet` or `--dry-run`, and in a job, it says what it always does. No plugin: that
# would have to be installed, or a call failed, and it could not be told of the runs.
SHOWN = workflow.output_settings
if workflow.is_main_process and not (SHOWN.verbose or SHOWN.printshellcmds or SHOWN.quiet or SHOWN.dryrun):
    take_over(
        logger, "DefaultStreamHandler", Console(jobs_of_call, read_seconds(Path(f"{RESULTS}.forecast.csv")))
    )
