"""The digest of code, on small packages that are written for it: what changes it, and what does not."""

import functools
import re

import pytest

from edits import edited
from replication.system import code_digest as digests
from replication.system.code_digest import code_digest


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    """Return a function that gives the digest of a script and of a package `pkg`, from their texts."""

    @functools.cache
    def of(files, chosen):
        folder = tmp_path_factory.mktemp("code")
        for name, text in files:
            path = folder / (name if name == "entry.py" else f"pkg/{name}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(digests, "PACKAGE", folder / "pkg")
            return code_digest(folder / "entry.py", dict(chosen))

    return lambda files, chosen=None: of(
        tuple(({"__init__.py": ""} | files).items()), tuple((chosen or {}).items())
    )


SMALL = {
    "entry.py": '''
"""A script."""
from pkg.a import start
from pkg import part as alias

RESULT = start(1) + alias.reexported(2)
''',
    "a.py": '''
"""A module."""
import math
from typing import TYPE_CHECKING
from pkg.b import called, Base as Parent, decorate
from pkg import c, part
import pkg.d as d
import pkg.e

if TYPE_CHECKING:
    from pkg.b import not_called as Nothing

LIMIT = 3
OTHER = 4
GROWS = [1]
GROWS += [2]
FILLED = {}
FILLED["x"] = 5
LEFT, RIGHT = 6, 7


@decorate
def start(x: "Nothing", y: int = LIMIT) -> int:
    """Start."""
    # A comment.
    total: float = called(x) + math.sqrt(y) + c.by_module(x)
    return total + Child().value + lazily(x) + d.by_alias(x) + pkg.e.by_path(x) + GROWS[0] + FILLED["x"] + LEFT


def lazily(x):
    from pkg.lazy import deep
    from pkg import lazy_module as module

    return deep(x) + module.far(x) + part.inner.below(x)


class Child(Parent):
    """A child."""

    value: int = 8

    def method(self, x: int) -> int:
        return x


def not_called(x):
    return x
''',
    "b.py": """
try:
    from pkg.fast import helper
except ImportError:
    helper = None


def called(x):
    return recursive(x)


def recursive(x):
    return called(x - 1) if x else helper(x)


class Base:
    kind = "base"


def decorate(function):
    return function


def not_called(x):
    return x + 1
""",
    "c.py": "def by_module(x):\n    return x + 10\n\n\ndef not_by_module(x):\n    return x + 11\n",
    "d.py": "def by_alias(x):\n    return x + 12\n",
    "e.py": "def by_path(x):\n    return x + 13\n",
    "fast.py": "def helper(x):\n    return x + 14\n",
    "lazy.py": "def deep(x):\n    return x + 15\n\n\ndef not_deep(x):\n    return x + 16\n",
    "lazy_module.py": "def far(x):\n    return x + 17\n\n\ndef near(x):\n    return x + 18\n",
    "part/__init__.py": "from pkg.part.inner import defined as reexported, unused\n",
    "part/inner.py": (
        "SCALE = 2\n\n\ndef defined(x):\n    return x * SCALE\n\n\n"
        "def below(x):\n    return x + 19\n\n\ndef unused(x):\n    return x + 20\n"
    ),
    "unrelated.py": "from pkg.a import start\n\nstart(21)\n",
}

MATTERS = [
    ("entry.py", "start(1)", "start(0)"),
    ("entry.py", "alias.reexported(2)", "alias.reexported(3)"),
    ("a.py", "LIMIT = 3", "LIMIT = 30"),
    ("a.py", "GROWS = [1]", "GROWS = [0]"),
    ("a.py", "GROWS += [2]", "GROWS += [3]"),
    ("a.py", 'FILLED["x"] = 5', 'FILLED["x"] = 6'),
    ("a.py", "LEFT, RIGHT = 6, 7", "LEFT, RIGHT = 7, 7"),
    ("a.py", "math.sqrt(y)", "math.cbrt(y)"),
    ("a.py", "import math", "import cmath as math"),
    ("a.py", "from pkg import c, part", "from pkg import d as c, part"),
    ("a.py", "@decorate\n", ""),
    ("a.py", "y: int = LIMIT", "y: int = 5"),
    ("a.py", "value: int = 8", "value: int = 9"),
    ("a.py", "value: int = 8", "value = 8"),  # a field may become none
    ("b.py", "recursive(x)\n\n\ndef", "recursive(x + 1)\n\n\ndef"),
    ("b.py", "called(x - 1)", "called(x - 2)"),
    ("b.py", 'kind = "base"', 'kind = "other"'),
    ("b.py", "return function", "return None"),
    ("b.py", "helper = None", "helper = abs"),
    ("c.py", "x + 10", "x + 0"),
    ("d.py", "x + 12", "x + 0"),
    ("e.py", "x + 13", "x + 0"),
    ("fast.py", "x + 14", "x + 0"),
    ("lazy.py", "x + 15", "x + 0"),
    ("lazy_module.py", "x + 17", "x + 0"),
    ("part/__init__.py", "defined as reexported", "unused as reexported"),
    ("part/inner.py", "SCALE = 2", "SCALE = 3"),
    ("part/inner.py", "x * SCALE", "x + SCALE"),
    ("part/inner.py", "x + 19", "x + 0"),
]
DOES_NOT_MATTER = [
    ("entry.py", '"""A script."""', '"""Another script."""'),
    ("entry.py", '"""A script."""\n', ""),
    ("entry.py", "\nfrom pkg.a", "# A comment.\n\n\nfrom pkg.a"),
    ("a.py", '"""Start."""', '"""Begin."""'),
    ("a.py", '    """A child."""\n', ""),
    ("a.py", "def not_called(x):\n", 'def not_called(x):\n    """Document."""\n'),
    ("a.py", "LIMIT = 3\n", 'LIMIT = 3\n"""How far."""\n'),
    ("a.py", "value: int = 8\n", 'value: int = 8\n    """What it is."""\n'),
    ("a.py", "# A comment.", "# Another comment."),
    ("a.py", "LIMIT = 3", "LIMIT: int = 3"),
    ("a.py", "LIMIT = 3", "LIMIT = (3)  # as far as it goes"),
    ("a.py", "total: float = ", "total = "),
    ("a.py", "total: float = ", "total: int = "),
    ("a.py", ") -> int:\n    \"\"\"Start", ') -> "float":\n    """Start'),
    ("a.py", 'x: "Nothing", y: int', "x, y"),
    ("a.py", "value: int = 8", "value: float = 8"),
    ("a.py", "if TYPE_CHECKING:\n    from pkg.b import not_called as Nothing\n", ""),
    ("a.py", "import math\nfrom typing import TYPE_CHECKING\n", "from typing import TYPE_CHECKING\nimport math\n"),
    ("a.py", "import math\n", "import math\nimport json\n"),
    ("a.py", "return total + Child().value", "return (\n        total + Child().value"),  # completed below
    ("a.py", "OTHER = 4", "OTHER = 40"),
    ("a.py", "def not_called(x):\n    return x", "def not_called(x):\n    return 2 * x"),
    ("b.py", "x + 1\n", "x + 2\n"),
    ("c.py", "x + 11", "x + 0"),
    ("lazy.py", "x + 16", "x + 0"),
    ("lazy_module.py", "x + 18", "x + 0"),
    ("part/inner.py", "x + 20", "x + 0"),
    ("part/inner.py", "SCALE = 2\n", "\n\n\nSCALE = 2\n"),
    ("unrelated.py", "start(21)", "start(22)"),
]  # fmt: skip


def with_edit(file, old, new):
    text = edited(SMALL[file], old, new)
    if new.startswith("return ("):
        text = edited(text, " + LEFT\n", " + LEFT\n    )\n")
    return SMALL | {file: text}


@pytest.mark.parametrize(("file", "old", "new"), MATTERS)
def test_an_edit_of_what_is_used_changes_the_digest(digest, file, old, new):
    assert digest(with_edit(file, old, new)) != digest(SMALL)


@pytest.mark.parametrize(("file", "old", "new"), DOES_NOT_MATTER)
def test_an_edit_of_text_or_of_what_is_not_used_does_not(digest, file, old, new):
    assert digest(with_edit(file, old, new)) == digest(SMALL)


def test_the_order_of_definitions_does_not_matter(digest):
    head, *functions = SMALL["c.py"].split("def ")
    reversed_text = head + "".join(f"def {function.rstrip()}\n\n\n" for function in functions[::-1])
    assert digest(SMALL | {"c.py": reversed_text}) == digest(SMALL)


def test_the_digest_is_the_same_wherever_the_code_lies(digest):
    elsewhere = SMALL | {"not_mentioned.py": ""}
    assert digest(elsewhere) == digest(SMALL)
    assert re.fullmatch("[0-9a-f]{64}", digest(SMALL))


MOVED = {
    "entry.py": "from pkg.shelf import far, near\nfrom pkg import shelf\n\nprint(near(1), far(2), shelf.LEFT)\n",
    "shelf.py": (
        "import math\n\nfrom pkg.settings import Book\n\nLEFT = 1\n\n\n"
        "def near(x):\n    return math.sqrt(x) + LEFT + Book().pages\n\n\n"
        "def far(x):\n    from pkg.store import depth\n\n    return near(x) * depth()\n"
    ),
    "store.py": "def depth():\n    return 3\n",
    "settings/__init__.py": "class Book:\n    pages = 4\n",
}  # fmt: skip


def renamed(files, **names):
    """Give modules other names, and with them the files and all that mentions them."""
    for old, new in names.items():
        files = {
            re.sub(rf"^{old}\b", new, name): re.sub(rf"\b{old}\b", new, text) for name, text in files.items()
        }
    return files


def test_modules_may_be_renamed(digest):
    others = renamed(MOVED, shelf="rack", store="cellar")
    assert set(others) == {"entry.py", "rack.py", "cellar.py", "settings/__init__.py"}
    assert digest(others) == digest(MOVED)


def test_definitions_may_move_to_another_module(digest):
    head, near, far = re.split(r"(?=^def )", MOVED["shelf.py"], flags=re.MULTILINE)
    moved = MOVED | {
        "entry.py": MOVED["entry.py"].replace("pkg.shelf import far, near", "pkg.deep.hall import far, near"),
        "shelf.py": "LEFT = 1\n",
        "deep/__init__.py": "",
        "deep/hall.py": head.replace("LEFT = 1", "from pkg.shelf import LEFT") + far + "\n\n" + near,
    }
    assert digest(moved) == digest(MOVED)
    for old, new in [
        ("math.sqrt", "math.cbrt"),
        ("import math", "import cmath as math"),
        ("near(x) *", "far(x) *"),
    ]:
        assert digest(moved | {"deep/hall.py": edited(moved["deep/hall.py"], old, new)}) != digest(MOVED)


def test_what_a_name_stands_for_counts(digest):
    """The same statements, and only the imports exchanged."""
    files = {
        "entry.py": "from pkg.a import f\nfrom pkg.b import f as g\n\nprint(f(1) - g(1))\n",
        "a.py": "def f(x):\n    return x\n",
        "b.py": "def f(x):\n    return 2 * x\n",
    }
    exchanged = files | {"entry.py": files["entry.py"].replace("pkg.a", "pkg.c").replace("pkg.b", "pkg.a")}
    exchanged["entry.py"] = exchanged["entry.py"].replace("pkg.c", "pkg.b")
    assert digest(exchanged) != digest(files)


def test_everything_in_the_entry_counts(digest):
    entry = SMALL["entry.py"] + "\n\ndef unused():\n    return {}\n\n\nif RESULT:\n    print({})\n"
    found = {digest(SMALL | {"entry.py": entry.format(*numbers)}) for numbers in [(1, 2), (0, 2), (1, 0)]}
    assert len(found) == 3


@pytest.mark.parametrize(
    "entry",
    [
        "from pkg import c\n",  # for what the script starts, such as a notebook
        "from pkg import c\n\nvars(c)\n",
        "import pkg.c as c\n\nfunction = getattr(c, 'by_module')\n",
        "from pkg import c\n\nc.by_module(1)\nprint(c)\n",
    ],
)
def test_a_module_that_is_not_asked_for_names_counts_whole(digest, entry):
    files = SMALL | {"entry.py": entry}
    assert digest(files) != digest(files | {"c.py": edited(SMALL["c.py"], "x + 11", "x + 0")})


def test_a_function_imported_without_use_counts(digest):
    files = SMALL | {"entry.py": "from pkg.c import by_module\n"}
    assert digest(files) != digest(files | {"c.py": edited(SMALL["c.py"], "x + 10", "x + 0")})
    assert digest(files) == digest(files | {"c.py": edited(SMALL["c.py"], "x + 11", "x + 0")})


def test_a_name_of_a_package_comes_before_its_module_of_the_same_name(digest):
    files = {
        "entry.py": "from pkg.shop import sell\n\nsell()\n",
        "shop/__init__.py": "from pkg.shop.sell import sell\n",
        "shop/sell.py": "def sell():\n    return 1\n",
    }
    assert digest(files) != digest(files | {"shop/sell.py": "def sell():\n    return 2\n"})


def test_modules_that_import_each_other_are_followed(digest):
    files = {
        "entry.py": "from pkg.a import f\n\nf()\n",
        "a.py": "from pkg.b import g\n\n\ndef f():\n    return g()\n\n\ndef h():\n    return 1\n",
        "b.py": "from pkg import a\n\n\ndef g():\n    return a.f() or a.h()\n",
    }
    assert digest(files) != digest(files | {"a.py": edited(files["a.py"], "return 1", "return 2")})


@pytest.mark.parametrize(
    "text", ["from .c import by_module\n", "from pkg.c import *\n", "def f():\n    from . import c\n"]
)
def test_an_import_that_cannot_be_followed_is_refused(digest, text):
    with pytest.raises(TypeError, match="import names, from a module by its full name"):
        digest(SMALL | {"entry.py": text})


SETTINGS = {
    "settings/__init__.py": "VALUE = 1\n",
    "settings/run.py": "class Run:\n    epochs = 1\n",
    "settings_of_another_kind.py": "VALUE = 1\n",
}


@pytest.mark.parametrize(
    "entry",
    [
        "from pkg.settings.run import Run\n\nRun()\n",
        "from pkg.settings import run\n\nrun.Run()\n",
        "from pkg import settings\n\nsettings.run.Run()\n",
        "import pkg.settings.run as run\n\nrun.Run()\n",
        "def f():\n    from pkg.settings.run import Run\n    return Run()\n",
    ],
)
def test_settings_are_left_out(digest, entry):
    files = SETTINGS | {"entry.py": entry}
    others = {name: text.replace("= 1", "= 2") for name, text in SETTINGS.items()}
    assert digest(files) == digest(files | others)


def test_only_settings_are_left_out(digest):
    files = SETTINGS | {"entry.py": "from pkg.settings_of_another_kind import VALUE\n\nprint(VALUE)\n"}
    assert digest(files) != digest(files | {"settings_of_another_kind.py": "VALUE = 2\n"})


SHOP = {
    "entry.py": "from pkg.shop import sell\n\nsell()\n",
    "shop.py": '''
def apple():
    return 1


def pear():
    return 2


FRUIT: dict[str, object] = {
    "apple": apple,
    "pear": pear,
}
FORK = {"apple": 3}


def sell(name):
    return FRUIT[name], FORK[name]
''',
}  # fmt: skip
FRUIT, FORK = "shop.FRUIT", "shop.FORK"


@pytest.mark.parametrize(
    ("old", "new", "choices"),
    [
        ("return 1", "return 0", ["apple", None]),
        ("return 2", "return 0", ["pear", None]),
        ('"pear": pear', '"pear": apple', ["pear", None]),
        ('"pear": pear,\n', "", ["pear", None]),
        ('    "pear": pear,\n', '    "pear": pear,\n    "plum": pear,\n', [None]),
        ("return FRUIT[name]", "return FRUIT.get(name)", ["apple", "pear", "", None]),
    ],
)
def test_of_a_registry_only_the_chosen_entry_is_followed(digest, old, new, choices):
    others = SHOP | {"shop.py": edited(SHOP["shop.py"], old, new)}
    tried = {choice: {} if choice is None else {FRUIT: choice} for choice in ("apple", "pear", "", None)}
    assert [
        choice for choice, chosen in tried.items() if digest(SHOP, chosen) != digest(others, chosen)
    ] == choices


def test_choices_tell_results_apart_and_are_of_their_registry_only(digest):
    assert len({digest(SHOP, {FRUIT: choice}) for choice in ("apple", "pear", "")}) == 3
    assert digest(SHOP, {FRUIT: ""}) == digest(SHOP, {FRUIT: "plum"})
    others = SHOP | {"shop.py": edited(SHOP["shop.py"], '"apple": 3', '"apple": 4')}
    assert digest(SHOP, {FRUIT: "apple"}) != digest(others, {FRUIT: "apple"})
    assert digest(SHOP, {FRUIT: "apple", FORK: "pear"}) == digest(others, {FRUIT: "apple", FORK: "pear"})


@pytest.mark.parametrize("registry", ["shop.FRUITS", "FRUIT", "shops.FRUIT", "shop.fruit.FRUIT"])
def test_a_registry_that_does_not_exist_is_refused(digest, registry):
    with pytest.raises(TypeError, match=f"there is no registry {registry}"):
        digest(SHOP, {registry: "apple"})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('FORK = {"apple": 3}', 'FORK = dict(apple=3)', "one dictionary display"),
        ('FORK = {"apple": 3}', 'FORK = {"apple": 3}\nFORK["pear"] = 4', "one dictionary display"),
        ('FORK = {"apple": 3}', 'FORK = {"apple": 3}\nFORK |= {"pear": 4}', "one dictionary display"),
        ('FORK = {"apple": 3}', 'FORK = {**FRUIT, "apple": 3}', "keys should be constants"),
    ],
)  # fmt: skip
def test_a_registry_is_one_dictionary_in_sight(digest, old, new, message):
    with pytest.raises(TypeError, match=message):
        digest(SHOP | {"shop.py": edited(SHOP["shop.py"], old, new)}, {FORK: "pear"})
