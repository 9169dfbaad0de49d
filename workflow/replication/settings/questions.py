"""Questions: what a report leaves unsaid, and which choice of it explains the report's numbers best."""

from typing import Annotated

from pydantic import Field

from replication.settings.base import Section
from replication.settings.claims import Identifier


class Question(Section):
    """Asked of the numbers that have a reading for each value of some axes of a grid."""

    id: Identifier = Field(description="Unique within its study.")
    title: str = Field(min_length=1, description="The question, in words.")
    axes: Annotated[list[str], Field(min_length=1)] = Field(
        description="Axes of a grid: what is unsaid. An explanation is one value of each."
    )
    statements: Annotated[list[str], Field(min_length=1)] | None = Field(
        default=None,
        description="The statements whose numbers may count, where not all do: a table's entry and its difference "
        "from another one are not two numbers. null: all.",
    )
