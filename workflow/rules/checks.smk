# Before Snakemake reads any configuration: what it would fail at without a word on the remedy, or misread.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

# Snakemake hands this on to the scripts.
sys.path.insert(0, str(Path(workflow.basedir) / "workflow"))

from replication.errors import ReplicationError
from replication.settings.command_line import check_arguments
from replication.settings.config import CONFIG_FILE
from replication.settings.yaml_file import read_yaml
from replication.system.user_paths import check_project_folder

try:
    check_project_folder(workflow.basedir)
    # The jobs of a call get the values that its main process has accepted.
    if workflow.is_main_process:
        check_arguments(sys.argv[1:])
    # With a file of the user's own, Snakemake does without that of the project.
    for file in [*workflow.configfiles] + [CONFIG_FILE] * (CONFIG_FILE.exists() or not workflow.configfiles):
        read_yaml(file)
except ReplicationError as error:
    raise WorkflowError(str(error)) from None
