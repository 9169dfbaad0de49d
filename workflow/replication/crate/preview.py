"""The page that a crate shows to a reader without tools."""

import html

from replication.crate.evidence import Evidence

PREVIEW = "ro-crate-preview.html"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; line-height: 1.5; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; vertical-align: top; }}
.scroll {{ overflow-x: auto; }}
</style>
</head>
<body>
<h1>{title}</h1>
<p>A research object: results, the runs behind them, and the workflow that made them. What each file is and what
made it stands in <a href="ro-crate-metadata.json">ro-crate-metadata.json</a>, a Workflow Run RO-Crate.</p>
<ul>
<li><a href="{results}/report.html">The report</a></li>
<li><a href="{results}/claims.csv">The claims and their verdicts</a></li>
<li><a href="README.md">How to run the workflow</a></li>
</ul>
<h2>Data sets, not included</h2>
<ul>
{datasets}
</ul>
<h2>Runs</h2>
<div class="scroll">
<table>
<thead><tr>
<th scope="col">Run</th><th scope="col">Outcome</th><th scope="col">Started</th><th scope="col">Ended</th>
</tr></thead>
<tbody>
{runs}
</tbody>
</table>
</div>
</body>
</html>
"""


def preview(evidence: Evidence) -> str:
    """Return an HTML page about the crate, which is read offline."""
    title = f"{evidence.citation['title']}: results at {evidence.scale} scale"
    datasets = [
        f"{facts['name']}: {facts['source']['description']}. Licence: {facts['source']['licence']}. "
        f"SHA-256 of the images and labels: {facts['identity']}"
        for facts in evidence.manifests.values()
    ]
    return _PAGE.format(
        title=html.escape(title),
        results=html.escape(evidence.results),
        datasets="\n".join(f"<li>{html.escape(text)}</li>" for text in datasets),
        runs="\n".join(_row(evidence, run_id) for run_id in evidence.records),
    )


def _row(evidence: Evidence, run_id: str) -> str:
    record = evidence.records[run_id]
    link = f'<a href="{html.escape(evidence.results)}/runs/{html.escape(run_id)}/record.json">{html.escape(run_id)}</a>'
    facts = (record[key] for key in ("outcome", "started", "ended"))
    return f"<tr><th scope='row'>{link}</th>{''.join(f'<td>{html.escape(fact)}</td>' for fact in facts)}</tr>"
