"""SVG drawings within a page: their definitions, above all the outlines of letters, and their styles once for all.

As images, each with its own letters and in base64, the drawings of a report would be three times as large; and a page
cannot give an image other colours in the dark.
"""

import html
import re
from xml.etree import ElementTree

from markupsafe import Markup

SVG, XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
METADATA = "{http://www.w3.org/2000/svg}metadata"
DECIMALS = 1  # of coordinates, in points: far below what a screen shows
_NUMBER = re.compile(r"-?\d+\.\d+")
_COORDINATES = ("d", "x", "y", "x1", "x2", "y1", "y2", "points")
_REFERENCE = re.compile(r"(?<=#)[^)]+")  # in `#name` and `url(#name)`
_MOVED = re.compile(r"translate\(([-\d.]+) ([-\d.]+)\)")
_AROUND_COMMANDS = re.compile(r" ?([A-Za-z]) ?")
_DEFAULTS = ("stroke-dashoffset: 0", "stroke-linejoin: miter", "fill: #000000", "stroke-linecap: butt")


class Drawings:
    """The drawings of one page, and what they have in common."""

    def __init__(self) -> None:
        self._definitions: dict[str, str] = {}
        self._names: dict[str, str] = {}  # short ones, for there are many references
        self._styles: dict[str, str] = {}  # a class for each

    def inline(self, svg: str, alt: str) -> Markup:
        """Return a drawing of matplotlib as an element of the page, its alternative text with it."""
        root = ElementTree.fromstring(svg.encode())
        for parent in list(root.iter()):
            for child in list(parent):
                if child.tag == f"{SVG}defs":
                    self._keep(child)
                if child.tag in (f"{SVG}defs", METADATA):
                    parent.remove(child)
        for element in root.iter():
            self._shorten(element)
        size = f'viewBox="{root.get("viewBox")}" style="--wide:{root.get("width")}"'
        attributes = f'{size} role="img" aria-label="{html.escape(alt, quote=True)}"'
        return Markup(f'<svg class="drawing" {attributes}>{"".join(map(_text, root))}</svg>')

    def _keep(self, definitions: ElementTree.Element) -> None:
        for element in definitions:
            name = element.get("id")
            for inner in element.iter():
                self._shorten(inner)
            if name is not None:  # a style sheet has none, and matplotlib's has nothing that we need
                element.set("id", self._short(name))
                self._definitions[name] = _text(element)

    def _short(self, name: str) -> str:
        return self._names.setdefault(name, f"d{len(self._names)}")

    def _shorten(self, element: ElementTree.Element) -> None:
        """Leave out what has no effect, and decimals that nobody sees."""
        element.attrib.pop("id", None)
        element.tail = element.text = None
        if XLINK in element.attrib:
            element.set("href", element.attrib.pop(XLINK))
        for name in ("href", "clip-path"):
            if "#" in (reference := element.get(name, "")):
                element.set(name, _REFERENCE.sub(lambda found: self._short(found[0]), reference))
        for name in _COORDINATES:
            if name in element.attrib:
                element.set(name, _compact(_rounded(element.attrib[name])))
        moved = _MOVED.fullmatch(element.get("transform", ""))
        if moved and element.tag == f"{SVG}use":  # as each letter is
            del element.attrib["transform"]
            for name, distance in zip("xy", map(_rounded, moved.groups()), strict=True):
                if distance != "0":
                    element.set(name, distance)
        elif "translate" in element.get("transform", ""):
            element.set("transform", _rounded_translation(element.attrib["transform"]))
        if "style" in element.attrib:
            kept = [part for part in element.attrib.pop("style").split("; ") if part not in _DEFAULTS]
            if kept:
                style = ";".join(kept).replace(": ", ":").replace("#000000", "#000")
                element.set("class", self._styles.setdefault(style, f"s{len(self._styles)}"))

    def definitions(self) -> Markup:
        """Return an invisible element with what all drawings refer to; it belongs before them."""
        inner = "".join(self._definitions.values())
        styles = "".join(f".{name}{{{style}}}" for style, name in self._styles.items())
        return Markup(
            '<svg class="definitions" width="0" height="0" aria-hidden="true">'
            f"<style>{styles}</style><defs>{inner}</defs></svg>"
        )


def _rounded(text: str) -> str:
    return _NUMBER.sub(lambda found: f"{round(float(found[0]), DECIMALS):g}", text)


def _compact(path: str) -> str:
    """Return a path or other coordinates with a command only where it changes: after `M`, and after `L`, come lines."""
    kept: list[str] = []
    implied = None
    for word in path.split():
        if word != implied:
            kept.append(word)
        if word.isalpha():
            implied = "L" if word == "M" else word
    return _AROUND_COMMANDS.sub(r"\1", " ".join(kept))


def _rounded_translation(text: str) -> str:
    return re.sub(r"translate\([^)]*\)", lambda found: _rounded(found[0]), text)


def _text(element: ElementTree.Element) -> str:
    """Return an element without the prefixes of its name space, which a page does not need."""
    name = element.tag.removeprefix(SVG)
    attributes = "".join(
        f' {key}="{html.escape(value, quote=True)}"' for key, value in element.attrib.items()
    )
    children = "".join(map(_text, element))
    if name == "g" and not attributes:
        return children
    return f"<{name}{attributes}>{children}</{name}>" if children else f"<{name}{attributes}/>"
