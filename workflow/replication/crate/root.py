"""The crate as a whole: what it is, who made it, on what terms, and by which rules it is described."""

from collections.abc import Sequence

from replication.crate.contents import parts_of
from replication.crate.evidence import Evidence
from replication.crate.vocabulary import CRATE, PROFILES, WORKFLOW_CRATE, Entity, reference, references

METADATA = "ro-crate-metadata.json"
MAIN = "Snakefile"
PYTHON = "#python"
_LANGUAGES = f"{WORKFLOW_CRATE.rpartition('/')[0]}#"


def name_of(evidence: Evidence) -> str:
    """Return what the crate is called."""
    return f"{evidence.citation['title']}: results at {evidence.scale} scale"


def description_of(evidence: Evidence) -> str:
    """Return what the crate holds, in words."""
    return (
        f"The report, its tables and figures, the {len(evidence.records)} runs behind them with "
        "their records, and the workflow that made them. The data sets are described, and are not in it."
    )


def license_of(evidence: Evidence) -> Entity:
    """Return the link to the licence of the workflow and of what it made."""
    return reference(f"https://spdx.org/licenses/{evidence.citation['license']}")


def language_of(evidence: Evidence) -> Entity:
    """Return the link to the language of the workflow, by the name that Workflow RO-Crate gives it."""
    return reference(_LANGUAGES + evidence.engine.name.lower())


def people_and_profiles(evidence: Evidence) -> list[Entity]:
    """Describe the licence, the authors, the languages and the profiles."""
    engine = evidence.engine
    return [
        {
            **license_of(evidence),
            "@type": "CreativeWork",
            "name": evidence.citation["license"],
            "identifier": license_of(evidence)["@id"],
            "description": "Of the workflow and of the results made with it. The data sets have licences of their own.",
        },
        *(
            {"@id": _author_id(number), "@type": "Organization", "name": author["name"]}
            for number, author in enumerate(evidence.citation["authors"], 1)
        ),
        {
            **language_of(evidence),
            "@type": "ComputerLanguage",
            "name": engine.name,
            "identifier": engine.url,
            "url": engine.url,
            "version": engine.version,
        },
        {"@id": PYTHON, "@type": "ComputerLanguage", "name": "Python", "url": "https://www.python.org"},
        *(
            {"@id": profile, "@type": "CreativeWork", "name": name, "version": version}
            for profile, (name, version) in PROFILES.items()
        ),
    ]


def _author_id(number: int) -> str:
    return f"#author/{number}"


def descriptor() -> Entity:
    """Describe the metadata themselves."""
    return {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": reference("./"),
        "conformsTo": [reference(CRATE), reference(WORKFLOW_CRATE)],
    }


def root(evidence: Evidence, actions: Sequence[str]) -> Entity:
    """Describe the crate; `actions` are the identifiers of what ran."""
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": name_of(evidence),
        "description": description_of(evidence),
        "datePublished": evidence.ended,
        "license": license_of(evidence),
        "author": [reference(_author_id(n)) for n in range(1, len(evidence.citation["authors"]) + 1)],
        "conformsTo": references(PROFILES),
        "mainEntity": reference(MAIN),
        "hasPart": parts_of("", evidence.files),
        "mentions": references(actions),
    }
