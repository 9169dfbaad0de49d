"""What kind of evidence the runs of a scale are for a claim: found from their settings, not from what they show."""

from replication.runs.plan import PlannedStudy
from replication.settings.claims import Claim

DIRECT = "direct"
REDUCED = "reduced"
CONCEPTUAL = "conceptual"
KINDS = {
    DIRECT: "the report's data, and what it states of the settings",
    REDUCED: "the report's data, with less budget, fewer images or another model",
    CONCEPTUAL: "other data",
}


def evidence_for(planned: PlannedStudy, claim: Claim) -> tuple[str, list[str]]:
    """Return the kind of evidence for a claim, and how the settings of its arms differ from the report's.

    What differs in any arm of the claim counts, whether that arm is selected or not; a ranking of only some of the
    report's arms is reduced evidence. How many seeds there are does not matter.

    Returns
    -------
    kind, differences
        One of `KINDS`, and texts such as `epochs: 5 for 100`, the data set first.
    """
    behind = {arm for named in claim.arms for arm in planned.study.trained_arms(named)}
    trained = behind & planned.at_scale.keys()
    found = {difference for arm in trained for difference in planned.differences(arm)}
    differences = sorted(found, key=lambda text: (not _is_of_data(text), text))
    if trained != behind:
        differences.append(f"arms: {len(trained)} for {len(behind)}")
    if any(map(_is_of_data, differences)):
        return CONCEPTUAL, differences
    return (REDUCED if differences else DIRECT), differences


def _is_of_data(difference: str) -> bool:
    return difference.startswith("data.dataset:")
