"""Matplotlib as it comes, with our style: what a user, or a program before us, has set plays no part in a figure."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import font_manager

# Text as outlines and fixed identifiers: the same bytes on every machine, and no font needed to read them.
STYLE: Any = {"svg.hashsalt": "replication", "svg.fonttype": "path", "axes.grid": True, "grid.alpha": 0.3}
# Okabe and Ito's idea, colours that the colour-blind tell apart; these ten are seaborn's palette "colorblind".
COLOURS = (
    *("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc"),
    *("#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9"),
)
DASHES: Any = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (3, 1.25, 1.5, 1.25)), (0, (5, 1, 1, 1)))
# How matplotlib meets a screen: not a matter of how a figure looks, and changing it has effects elsewhere.
OF_THE_SCREEN = frozenset({"backend", "backend_fallback", "interactive"})


def line_style(number: int) -> dict[str, Any]:
    """Return colour and dashes of a line, counted from 0: the first fifty differ, and neighbours in both."""
    again = number // len(COLOURS)
    return {"color": COLOURS[number % len(COLOURS)], "ls": DASHES[(number + again) % len(DASHES)]}


@contextmanager
def own_style(**changes: Any) -> Iterator[None]:
    """Draw, or save, what the block does with matplotlib's own defaults, `STYLE`, and `changes` to it.

    A figure needs this twice: much is looked up when it is drawn, and some only when it is saved.
    """
    defaults = {key: value for key, value in mpl.rcParamsDefault.items() if key not in OF_THE_SCREEN}
    with mpl.rc_context(defaults | STYLE | changes):
        yield


def use_own_fonts() -> None:
    """Let matplotlib find the fonts that it brings along, and no others.

    Those of the machine differ: a glyph that the first font lacks would come from whichever has it.
    """
    manager = font_manager.fontManager
    manager.ttflist.clear()
    for path in sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("*.ttf")):
        manager.addfont(path)


def write_font_list(folder: Path) -> None:
    """Write the list of fonts where a process whose MPLCONFIGDIR is `folder` looks for it, so that it searches none."""
    manager = font_manager.fontManager
    folder.mkdir(parents=True, exist_ok=True)
    font_manager.json_dump(manager, folder / f"fontlist-v{manager.__version__}.json")


use_own_fonts()
