"""A new study to begin with: a file and a notebook that run as they are."""

import re
from pathlib import Path

import nbformat

from replication.errors import ConfigurationError
from replication.runs.plan import STUDIES, SUFFIX
from replication.settings.claims import IDENTIFIER
from replication.system.files import write_text
from replication.system.user_paths import shown

NOTEBOOKS = Path("reports")
STUDY = """\
# yaml-language-server: $schema=../study.schema.json
title: Our own schedule against the usual ones
report: our-own-question  # the file that the statements quote
description: >-
  What is compared, and why. Every key is explained in config/README.md.

seeds: 3

settings:
  data: {dataset: digits, train_images: 500, validation_fraction: 0.2, scaling: unit}
  model: {name: mnist-cnn}
  optimizer: {name: sgd, learning_rate: 0.05, momentum: 0.9}
  schedule: {name: constant}
  batch_size: 32
  epochs: 8

scales:  # what the smaller scales change
  laptop: {}
  demo: {seeds: 2, settings: {epochs: 4}}

arms:
  constant:
    title: Constant
  cosine:
    title: Cosine
    settings:
      schedule: {name: cosine, sampling: {name: every_step}}
  own:
    title: Warm-up, stable, decay
    settings:
      schedule: {name: function, file: schedules/wsd.py, function: warmup_stable_decay, stable: 0.8}

tables:
  - id: results
    title: Results
    arms: [constant, cosine, own]
    columns:
      - {heading: Test accuracy, measure: test_accuracy}
      - {heading: Training loss, measure: train_loss}

statements:  # what is said, and how it is read
  - id: own-better
    section: our own words
    quote: our own schedule learns faster than a constant rate
    readings:
      - reading: It ends with a lower training loss.
        kind: order
        arm: own
        direction: lower
        than: [constant]
        measure: train_loss
"""
FIRST_CELL = """\
# The folder of this study's tables; the pipeline sets it.
tables = "../results/demo/studies/{name}"\
"""
CELLS = (
    """\
from replication.report.figures import StudyTables, curves, dots, show

study = StudyTables.read(tables)

ARMS = ["constant", "cosine", "own"]\
""",
    """\
show(
    study,
    "accuracy",
    dots(study, ARMS, "test_accuracy"),
    alt="Mean test accuracy at the end for each arm, with 95 % intervals.",
    caption="Test accuracy at the end of training.",
)\
""",
    """\
show(
    study,
    "training",
    curves(study, ARMS, ["train_loss", "learning_rate"]),
    alt="Two panels over epochs, one line for each arm: training loss and the learning rate applied.",
    caption="Training loss, and the learning rate applied.",
)\
""",
)


def new_study(name: str) -> str:
    """Write a study and its notebook in the current folder, the project's; return what was written and how to run it.

    Raises
    ------
    ConfigurationError
        The name cannot be that of a study, or one of the files is there already.
    """
    if not re.fullmatch(IDENTIFIER, name):
        raise ConfigurationError(
            f"new-study: `{shown(name)}` cannot be the name of a study, which is made of lower-case letters and "
            "digits, joined by hyphens: choose such a one"
        )
    study, notebook = STUDIES / f"{name}{SUFFIX}", NOTEBOOKS / f"{name}.ipynb"
    for path in (study, notebook):
        if not path.parent.is_dir():
            raise ConfigurationError(
                f"new-study: there is no folder {path.parent} here: call it in the project's"
            )
        if path.exists():
            raise ConfigurationError(f"new-study: {path} is there already: choose another name")
    write_text(study, STUDY)
    write_text(notebook, nbformat.writes(_notebook(name)) + "\n")
    return f"{study}\n{notebook}\nrun it: snakemake --cores all --config only={name}"


def _notebook(name: str) -> nbformat.NotebookNode:
    parameters = nbformat.v4.new_code_cell(FIRST_CELL.format(name=name), metadata={"tags": ["parameters"]})
    cells = [parameters, *map(nbformat.v4.new_code_cell, CELLS)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"  # nbformat draws it at random
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook: nbformat.NotebookNode = nbformat.v4.new_notebook(cells=cells, metadata=metadata)
    return notebook
