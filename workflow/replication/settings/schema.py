"""The JSON schema of study files, by which an editor knows their keys, values and meanings."""

import json
from typing import Any

from replication.settings.arm import OVERRIDES
from replication.settings.run import RunSettings
from replication.settings.study import Study

PARTIAL = "PartialRunSettings"


def study_schema() -> str:
    """Return the text of config/study.schema.json.

    Settings of a study, of its arms and of its scales are parts of a run's settings, to be merged: there the schema
    knows every key, and needs none.
    """
    schema = Study.model_json_schema()
    of_runs = _partial(RunSettings.model_json_schema())
    parts = of_runs.pop("$defs")
    schema["$defs"] = {**parts, PARTIAL: of_runs, **_with_settings(schema["$defs"])}
    schema["properties"] = _with_settings(schema["properties"])
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"


def _partial(schema: Any) -> Any:
    """Return a schema that accepts any part of what `schema` does."""
    if isinstance(schema, list):
        return [_partial(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _partial(value) for key, value in schema.items() if key not in ("required", "discriminator")}
    # Without its name, a section may be of several kinds.
    return {("anyOf" if key == "oneOf" else key): value for key, value in kept.items()}


def _with_settings(schema: Any) -> Any:
    """Return a schema with the settings of a run in every place that takes a part of them."""
    if isinstance(schema, list):
        return [_with_settings(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _with_settings(value) for key, value in schema.items()}
    if found.get("$comment") != OVERRIDES:
        return found
    return {**{key: value for key, value in found.items() if key != "$comment"}, "$ref": f"#/$defs/{PARTIAL}"}
