"""The same tables give the same bytes, whatever a user has set up for matplotlib, Jupyter, IPython and Python."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

from places import ROOT
from project import write_notebook
from replication.errors import ReplicationError
from replication.report import figures
from replication.report.figures import StudyTables
from replication.report.notebook_html import notebooks_html
from replication.report.notebooks import execute
from replication.report.surroundings import environment
from study_results import planned_study, write_results

pytestmark = pytest.mark.slow

STARTUP = """
import pandas as pd, matplotlib as mpl
pd.set_option("display.precision", 1)
mpl.rcParams["font.size"] = 30
"""
CELLS = """
import locale, os, sys, time, warnings
import pandas as pd
warnings.warn("of this machine")
print(sys.executable, sorted(os.environ)[0] and time.tzname, os.environ["LC_ALL"], sys.flags.optimize, hash("a"))
pd.DataFrame({"x": [0.123456]})
"""
# A script in a process of its own: what decides is there before matplotlib is imported.
DRAW = """
import sys
sys.path[:0] = sys.argv[1:3]
from replication.report import figures
from replication.report.figures import StudyTables
tables = StudyTables.read(sys.argv[3])
drawn = [figures.curves(tables, ["cosine"], ["train_loss"])[0], figures.empty_figure()[0],
         figures.dots(tables, ["cosine"], "test_accuracy")[0]]
sys.stdout.write("".join(map(figures.svg_of, drawn)))
"""


def hostile(home: Path) -> dict[str, str]:
    """Return variables that lead every tool to settings of a user."""
    ipython = home / ".ipython/profile_default"
    (ipython / "startup").mkdir(parents=True)
    (ipython / "startup/00-own.py").write_text(STARTUP)
    (ipython / "ipython_kernel_config.py").write_text("raise SystemExit('a config of a user')\n")
    (home / "start.py").write_text(STARTUP)
    (home / "sitecustomize.py").write_text(STARTUP)
    kernel = home / "jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    spec = {"argv": ["/bin/false", "{connection_file}"], "display_name": "Mine", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec))
    for template in ("basic", "base", "classic"):
        folder = home / "jupyter/nbconvert/templates" / template
        folder.mkdir(parents=True)
        (folder / "conf.json").write_text(json.dumps({"mimetypes": {"text/html": True}}))
        (folder / "index.html.j2").write_text("a template of a user")
    rc = home / "matplotlibrc"
    rc.write_text("font.size: 25\nsavefig.bbox: tight\ntext.usetex: True\naxes.facecolor: red\n")
    return {
        "HOME": str(home),
        "MATPLOTLIBRC": str(rc),
        "MPLCONFIGDIR": str(home),
        "MPLBACKEND": "nothing.that.exists",
        "JUPYTER_PATH": str(home / "jupyter"),
        "JUPYTER_DATA_DIR": str(home / "jupyter"),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONSTARTUP": str(home / "start.py"),
        "PYTHONPATH": str(home),
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONHASHSEED": "7",
        "LC_ALL": "de_DE.ISO-8859-1",
        "LANG": "de_DE",
        "TZ": "Asia/Tokyo",
        "COLUMNS": "20",
    }


def executed(folder: Path) -> list[bytes]:
    """Execute notebooks on the tables of the tiny study in `folder`; return what they leave, and their pages."""
    places = [folder / "one/notebook.ipynb", folder / "two/notebook.ipynb"]
    execute(folder / "draws.ipynb", places[0], "studies/tiny", folder)
    import nbformat

    cells = [nbformat.v4.new_code_cell("tables = None", metadata={"tags": ["parameters"]}, id="one")]
    cells.append(nbformat.v4.new_code_cell(CELLS, id="two"))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "shows.ipynb")
    execute(folder / "shows.ipynb", places[1], "studies/tiny", folder)
    made = [*places, *sorted((folder / "one/figures").iterdir())]
    assert len(made) == 4
    return [path.read_bytes() for path in made] + [page.encode() for page in notebooks_html(places)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    write_results(folder, planned_study(folder / "config"))
    write_notebook(folder / "draws.ipynb")
    return folder


def test_notebooks_and_their_pages_are_the_same_in_any_surroundings(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = executed(made)
    for name, value in hostile(tmp_path).items():
        monkeypatch.setenv(name, value)
    again = tmp_path / "again"
    shutil.copytree(made, again)
    shutil.copy(tmp_path / "matplotlibrc", again)  # the first place that matplotlib looks at
    (again / "random.py").write_text("raise ImportError('of a user')\n")
    before = dict(os.environ)
    found = executed(again)
    assert found == expected
    assert dict(os.environ) == before
    assert sys.executable.encode() in found[1]
    assert "of this machine" not in json.dumps(
        [cell.get("outputs") for cell in json.loads(found[1])["cells"]]
    )


def drawn(made: Path, environment: dict[str, str], folder: Path) -> str:
    paths = [str(ROOT / "workflow"), str(ROOT / "tests/helpers"), str(made / "studies/tiny")]
    command = [sys.executable, "-c", DRAW, *paths]
    return subprocess.run(
        command, check=True, text=True, capture_output=True, env=environment, cwd=folder
    ).stdout


def test_a_process_that_draws_is_not_moved_by_settings_of_a_user(made: Path, tmp_path: Path) -> None:
    plain = {"PATH": os.environ["PATH"], "HOME": str(made)}
    theirs = hostile(tmp_path)
    # Python's own take part in the start of this process, which is not ours.
    own = {key: value for key, value in theirs.items() if not key.startswith("PYTHON")}
    assert drawn(made, plain | own, tmp_path) == drawn(made, plain, made)


@pytest.mark.parametrize("settings", [{"font.size": 25.0, "savefig.bbox": "tight"}, {"text.usetex": True}])
def test_what_a_program_has_set_before_is_not_drawn_and_stays(
    made: Path, settings: dict[str, object]
) -> None:
    tables = StudyTables.read(made / "studies/tiny")

    def svgs() -> list[str]:
        pairs = [figures.curves(tables, ["cosine"], ["train_loss"]), figures.empty_figure()]
        return [figures.svg_of(figure) for figure, _ in pairs]

    expected = svgs()
    with mpl.rc_context(settings):
        assert svgs() == expected
        assert {key: mpl.rcParams[key] for key in settings} == settings


def test_only_fonts_of_matplotlib_are_known() -> None:
    from matplotlib import font_manager

    assert all(font.fname.startswith(mpl.get_data_path()) for font in font_manager.fontManager.ttflist)
    assert font_manager.fontManager.ttflist


def test_a_variable_that_nobody_knows_reaches_no_kernel(tmp_path: Path) -> None:
    found = environment({"SOME_TOOL_STYLE": "dark", "PATH": "/bin"}, tmp_path)
    assert found["PATH"] == "/bin"
    assert "SOME_TOOL_STYLE" not in found


@pytest.mark.parametrize("code", ["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "1 / 0"])
def test_what_was_there_stays_until_the_new_is_whole(made: Path, tmp_path: Path, code: str) -> None:
    import nbformat

    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    output = tmp_path / "studies/tiny/notebook.ipynb"
    execute(tmp_path / "draws.ipynb", output, "studies/tiny", tmp_path)
    before = {path.name: path.read_bytes() for path in [output, *(output.parent / "figures").iterdir()]}
    content = nbformat.read(tmp_path / "draws.ipynb", as_version=4)
    content.cells[1].source = content.cells[1].source.replace('"losses", c', '"other", c')
    content.cells.append(nbformat.v4.new_code_cell(code))
    nbformat.write(content, tmp_path / "draws.ipynb")
    with pytest.raises((ReplicationError, Exception), match=r"kernel was killed|ZeroDivisionError"):
        execute(tmp_path / "draws.ipynb", output, "studies/tiny", tmp_path)
    assert {
        path.name: path.read_bytes() for path in [output, *(output.parent / "figures").iterdir()]
    } == before
    content.cells.pop()
    nbformat.write(content, tmp_path / "draws.ipynb")
    execute(tmp_path / "draws.ipynb", output, "studies/tiny", tmp_path)
    assert sorted(path.name for path in (output.parent / "figures").iterdir()) == ["other.csv", "other.svg"]
