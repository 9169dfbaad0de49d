"""Where one number came from: the chain from a cell of a table, or a claim, back to the runs, as plain values."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from replication.analysis.derived_arms import with_derived_arms
from replication.analysis.events import second_descent
from replication.analysis.intervals import t_interval
from replication.analysis.measures import DERIVED, at_epoch
from replication.analysis.study_tables import collect
from replication.errors import ResultsError
from replication.report.claim_words import reported_words
from replication.runs.folder import HISTORY, RECORD
from replication.settings.claims import Claim, EventClaim, OrderClaim
from replication.settings.study import Study
from replication.settings.validation import unknown_name, validate
from replication.settings.yaml_file import read_yaml
from replication.system.tables import read_table
from replication.trace.evidence import evidence_of, formula_of, plain, same, source_of, words

CSV_TABLES = ("summary", "runs", "claims")
SUMMARY_LEVEL = 0.95  # of the intervals in summary.csv
Chain = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What is asked of some runs: one measure under one epoch rule."""

    run_ids: Sequence[str]
    measure: str
    epoch: str | int


class Tracer:
    """The results of one scale, and the studies that they are about.

    Parameters
    ----------
    results
        `results/<scale>`.
    studies
        The folder of the study files.

    Raises
    ------
    ResultsError
        There are no tables in `results`.
    """

    def __init__(self, results: str | Path, studies: str | Path) -> None:
        self.results = Path(results)
        self.scale: Any = self.results.name
        self._studies = Path(studies)
        self.runs, self.summary, self.claims = (
            self._read(f"tables/{name}.csv" if name != "claims" else "claims.csv")
            for name in ("runs", "summary", "claims")
        )

    @cached_property
    def _planned(self) -> frozenset[str]:
        return frozenset(self.runs["run_id"])

    def _read(self, name: str) -> pd.DataFrame:
        if not (self.results / name).exists():
            raise ResultsError(f"{self.results / name} does not exist: run `snakemake --cores all` first")
        return read_table(self.results / name)

    @cached_property
    def studies(self) -> dict[str, Study]:
        """The studies in the results, by name."""
        files = {str(name): self._studies / f"{name}.yaml" for name in self.runs["study"].unique()}
        return {name: validate(Study, read_yaml(file), str(file)) for name, file in files.items()}

    def number(self, place: str) -> Chain:
        """Trace the number at `table:row:column`.

        Raises
        ------
        ResultsError
            There is no such table, row or column, with the valid ones; or several, with how to tell them apart.
        """
        table, row, column = _parts(place)
        if table == "claims":
            return self._claim_cell(row, column)
        if table == "runs":
            return self._run_cell(row, column)
        if table == "summary":
            return self._summary_cell(row, column)
        return self._study_cell(table, row, column)

    def claim(self, name: str) -> Chain:
        """Trace a claim: its identifier, or `study/identifier`."""
        facts = self._claim_row(name)
        claim = next((c for c in self.studies[facts["study"]].claims if c.id == facts["id"]), None)
        if claim is None:
            raise ResultsError(
                f"{self._studies / facts['study']}.yaml: no longer has the claim `{facts['id']}`: "
                "run `snakemake --cores all`"
            )
        questions = [
            Question(self._run_ids(facts["study"], arm), claim.measure, epoch)
            for arm, epoch in _arms_with_epochs(claim)
        ]
        runs = self._answers(questions)
        if isinstance(claim, EventClaim) and claim.event == "second_descent":
            runs = [run | self._curve_shows(run, claim) for run in runs]
        return {
            "claim": facts,
            "reported": reported_words(facts, claim),
            "formula": formula_of(claim, facts),
            "runs": runs,
        }

    def _claim_row(self, name: str) -> dict[str, Any]:
        names = self.claims["study"] + "/" + self.claims["id"]
        found = self.claims.loc[_the_one(name, names, self.claims["id"], "claim")].to_dict()
        return {str(key): None if pd.isna(value) else value for key, value in found.items()}

    def _claim_cell(self, row: str, column: str) -> Chain:
        chain = self.claim(row)
        if column not in chain["claim"]:
            raise ResultsError(unknown_name("column of claims", column, chain["claim"]))
        return chain | {"place": ["claims", row, column], "value": chain["claim"][column]}

    def _run_cell(self, row: str, column: str) -> Chain:
        table = self.runs
        index = _the_one(row, table["run_id"], table["arm"] + "/seed-" + table["seed"].astype(str), "run")
        if column not in table.columns:
            raise ResultsError(unknown_name("column of runs", column, table.columns))
        value = table.loc[index, column]
        run_id = str(table.loc[index, "run_id"])
        runs = self._answers([Question([run_id], column, "last")])
        return {
            "place": ["runs", run_id, column],
            "measure": column,
            "value": plain(value),
            "file": self._line("tables/runs.csv", index),
            "recomputed": runs[0].get("value"),
            "agrees": same(plain(value), runs[0].get("value")),
            "formula": f"{column} of one run",
            "runs": runs,
        }

    def _summary_cell(self, row: str, column: str) -> Chain:
        arms = self.summary[["study", "arm"]].drop_duplicates()
        index = _the_one(row, arms["study"] + "/" + arms["arm"], arms["arm"], "row of summary")
        study, arm = arms.loc[index]
        rows = self.summary[(self.summary["study"] == study) & (self.summary["arm"] == arm)]
        columns = {
            f"{m}@{e}": (m, e) for m, e in zip(rows["measure"], rows["epoch"].astype(str), strict=True)
        }
        measure, epoch = _column(column, columns, {}, "summary")
        return self._mean(["summary", f"{study}/{arm}", f"{measure}@{epoch}"], study, arm, measure, epoch)

    def _study_cell(self, name: str, row: str, column: str) -> Chain:
        tables = {f"{study}/{t.id}": (study, t) for study, s in self.studies.items() for t in s.tables}
        full = _unique(name, tables, lambda key: key.partition("/")[2], "table", CSV_TABLES)
        study, table = tables[full]
        of_study = self.studies[study]
        titles = titles_of(of_study)
        known = {arm: titles[arm] for arm in table.arms}
        arm = _unique(row, known, lambda key: known[key], f"row of {full}")
        columns = {f"{c.measure}@{c.epoch}": (c.measure, str(c.epoch)) for c in table.columns}
        headings = {c.heading.casefold(): (c.measure, str(c.epoch)) for c in table.columns}
        measure, epoch = _column(column, columns, headings, full)
        heading = next(c.heading for c in table.columns if (c.measure, str(c.epoch)) == (measure, epoch))
        return self._mean([full, arm, heading], study, arm, measure, epoch)

    def _mean(self, place: list[str], study: str, arm: str, measure: str, epoch: str) -> Chain:
        """Trace a mean over seeds with its interval, and compute it again from the folders of the runs."""
        index = self.summary_row(study, arm, measure, epoch)
        stored = {str(key): plain(value) for key, value in self.summary.loc[index].items()}
        runs = self._answers([Question(self._run_ids(study, arm), measure, epoch)])
        values = [run["value"] for run in runs if run.get("value") is not None]
        again = t_interval(values, SUMMARY_LEVEL)
        pairs = (("mean", again.mean), ("low", again.low), ("high", again.high))
        return {
            "place": place,
            "study": study,
            "arm": arm,
            "measure": measure,
            "epoch": epoch,
            "value": stored["mean"],
            "interval": [stored["low"], stored["high"]],
            "seeds": {"with a value": stored["n"], "planned": stored["planned"]},
            "file": self._line("tables/summary.csv", index),
            "recomputed": plain(again.mean),
            "agrees": all(same(stored[key], plain(value)) for key, value in pairs),
            "formula": f"mean over {stored['n']} of {stored['planned']} seeds with its {SUMMARY_LEVEL:.0%} t interval; "
            + words(measure, epoch),
            "runs": runs,
        }

    def summary_row(self, study: str, arm: str, measure: str, epoch: str) -> Any:
        """Return the index in `summary` of a mean over seeds.

        Raises
        ------
        ResultsError
            The results have none.
        """
        rows = self.summary[
            (self.summary["study"] == study)
            & (self.summary["arm"] == arm)
            & (self.summary["measure"] == measure)
            & (self.summary["epoch"].astype(str) == epoch)
        ]
        if rows.empty:
            raise ResultsError(
                f"{self.results}: the results have no {measure}@{epoch} of {study}/{arm}: it is in the study "
                "file, but was not when they were made, or is not selected; run `snakemake --cores all`"
            )
        return rows.index[0]

    def _line(self, name: str, index: Any) -> Chain:
        # The first row of a table is on the second line of its file.
        return {"path": (self.results / name).as_posix(), "line": int(index) + 2}

    def _run_ids(self, study: str, arm: str) -> list[str]:
        chosen = (self.runs["study"] == study) & (self.runs["arm"] == arm)
        return [str(run_id) for run_id in self.runs.loc[chosen, "run_id"]]

    def _answers(self, questions: Iterable[Question]) -> list[Chain]:
        return [run for question in questions for run in self._answer(question)]

    def _answer(self, question: Question) -> list[Chain]:
        try:
            return self._values(question)
        except (KeyError, ValueError) as error:
            folders = f"{self.results}/runs: {', '.join(question.run_ids)}"
            raise ResultsError(
                f"{folders}: a file is damaged, or of an older version ({error!r}): delete that folder and run again"
            ) from error

    def _values(self, question: Question) -> list[Chain]:
        folder = self.results / "runs"
        behind = [run_id for each in question.run_ids for run_id in self._behind(each)]
        runs, history = collect(list(dict.fromkeys(behind)), folder)
        if behind == list(question.run_ids):
            return [self._run(run_id, question, runs, history) for run_id in behind]
        name = behind[0].partition("/")[0]
        everything, epochs = with_derived_arms(self.studies[name], name, self.scale, runs, history, folder)
        values = at_epoch(everything, epochs, question.measure, question.epoch)
        derived = [
            {"run_id": run_id, "outcome": DERIVED, "value": plain(values.loc[run_id])}
            for run_id in question.run_ids
        ]
        return [*derived, *(self._evidence(run_id) for run_id in runs["run_id"])]

    def _behind(self, run_id: str) -> list[str]:
        """Return the runs behind a row of the table of runs: itself, or those that it is derived from."""
        study, arm, seed = run_id.split("/")
        behind = [f"{study}/{each}/{seed}" for each in self.studies[study].trained_arms(arm)]
        return [each for each in behind if each in self._planned]

    def _evidence(self, run_id: str) -> Chain:
        folder = self.results / "runs" / run_id
        if not (folder / RECORD).exists():
            return {"run_id": run_id, "folder": folder.as_posix(), "outcome": "missing"}
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {"run_id": run_id, "folder": folder.as_posix(), **evidence_of(folder, record)}

    def _run(self, run_id: str, question: Question, runs: pd.DataFrame, history: pd.DataFrame) -> Chain:
        evidence = self._evidence(run_id)
        if evidence["outcome"] == "missing":
            return evidence
        measure = question.measure
        if measure in runs.columns:
            value = runs.set_index("run_id").loc[run_id, measure]
        else:
            value = at_epoch(runs, history, measure, question.epoch).loc[run_id]
        return evidence | {
            "value": plain(value),
            "source": source_of(evidence, measure, question.epoch),
        }

    def _curve_shows(self, run: Chain, claim: EventClaim) -> Chain:
        """Return whether the curve of a run shows the event, which is what its claim counts."""
        if run["outcome"] in ("missing", DERIVED):
            return {}
        curve = read_table(Path(run["folder"]) / HISTORY)[claim.measure].tolist()
        return {
            "value": second_descent(curve, claim.threshold),
            "source": {"file": HISTORY, "row": "all epochs", "column": claim.measure},
        }


def titles_of(study: Study) -> dict[str, str]:
    """Return what each arm of a study is called, derived ones included."""
    return {arm: each.title for arm, each in study.arms.items()} | study.derived_arms


def _parts(place: str) -> tuple[str, str, str]:
    table, _, rest = place.partition(":")
    row, _, column = rest.rpartition(":")  # a title may hold a colon
    if not (table and row and column):
        raise ResultsError(
            f"`{place}` is not of the form <table>:<row>:<column>, such as summary:cosine:test_loss@last"
        )
    return table, row, column


def _unique(
    name: str, known: Iterable[str], other: Callable[[str], str], what: str, more: Sequence[str] = ()
) -> str:
    """Return the one of `known` that is called `name`, in full or by its `other` name."""
    known = list(known)
    wanted = name.casefold()
    found = [key for key in known if wanted == key.casefold()] or [
        key for key in known if wanted == other(key).casefold()
    ]
    if not found:
        raise ResultsError(unknown_name(what, name, [*known, *more]))
    if len(found) > 1:
        raise ResultsError(f"more than one {what} is called `{name}`: choose one of {', '.join(found)}")
    return found[0]


def _the_one(name: str, full: pd.Series, short: pd.Series, what: str) -> Any:
    """Return the index of the row that is called `name`."""
    other = dict(zip(full, short, strict=True))
    chosen = _unique(name, other, lambda key: other[key], what)
    return full.index[full == chosen][0]


def _column(
    name: str, columns: Mapping[str, tuple[str, str]], headings: Mapping[str, tuple[str, str]], table: str
) -> tuple[str, str]:
    """Return measure and epoch of the column called `name`: a heading, a measure, or `measure@epoch`."""
    if name.casefold() in headings:
        return headings[name.casefold()]
    key = _unique(name, columns, lambda each: each.partition("@")[0], f"column of {table}", list(headings))
    return columns[key]


def _arms_with_epochs(claim: Claim) -> list[tuple[str, str | int]]:
    """Return the arms of a claim, each with the epoch at which it is read."""
    other = "than_epoch" if isinstance(claim, OrderClaim) else "minus_epoch"
    elsewhere = getattr(claim, other, None)
    rest = claim.epoch if elsewhere is None else elsewhere
    return [(arm, claim.epoch if arm == claim.arm else rest) for arm in dict.fromkeys(claim.arms)]
