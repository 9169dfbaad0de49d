"""Schedules of the user's own: a function in a file of the project, from progress to a multiplier.

The function takes progress through the budget, in [0, 1), and keyword settings, and has no other input: the same
progress gives the same multiplier, in whatever order it is asked. So the content of the file, with the settings, is
all that decides the curve, and the digest of that content is part of the settings of a run.
"""

import ast
import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from numbers import Real
from pathlib import Path, PurePosixPath
from types import FunctionType
from typing import Any

from replication.errors import ConfigurationError
from replication.schedules.signatures import Profile
from replication.settings.schedule import OwnFunction
from replication.settings.validation import unknown_name
from replication.system.files import PACKAGE
from replication.system.user_paths import shown, user_path

# At which the whole curve is checked before any job; every value that a run reads is checked again.
CHECKED_POINTS = 1000


def own_function(settings: OwnFunction) -> Profile:
    """Return the user's function with its settings as a profile.

    Each value is checked when it is read. Progress outside [0, 1] is clamped.

    Raises
    ------
    ConfigurationError
        The file or the function is not as it should be, or the file is no longer the one that the settings were
        resolved with; at a reading, the value is not a finite number of at least 0.

    Examples
    --------
    >>> from replication.settings.schedule import OwnFunction
    >>> settings = OwnFunction(name="function", file="schedules/wsd.py", function="warmup_stable_decay", stable=0.8)
    >>> profile = own_function(settings)
    >>> [round(profile(progress), 3) for progress in (0, 0.025, 0.5, 0.9, 1)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    text = _content(settings.file)
    _check_content(settings, sha256(text).hexdigest())
    return _profile(settings, text)


def checked(settings: OwnFunction) -> OwnFunction:
    """Check the whole curve, and return the settings with the digest of the file's content.

    Raises
    ------
    ConfigurationError
        As for `own_function`; or two readings differ, of which the second is made of the file loaded again, from the
        end of the curve to its start.

    Examples
    --------
    >>> from replication.settings.schedule import OwnFunction
    >>> settings = OwnFunction(name="function", file="schedules/wsd.py", function="warmup_stable_decay")
    >>> len(checked(settings).content_sha256)
    64
    """
    text = _content(settings.file)
    digest = sha256(text).hexdigest()
    _check_content(settings, digest)
    points = [number / CHECKED_POINTS for number in range(CHECKED_POINTS + 1)]
    forwards = _read(_profile(settings, text), points)
    backwards = _read(_profile(settings, text), reversed(points))
    for point in points:
        if forwards[point] != backwards[point]:
            raise ConfigurationError(
                f"{_of(settings)} gives {forwards[point]:g} at progress {point:g}, and {backwards[point]:g} the next "
                "time: it should depend on progress and its settings alone, without random numbers, clocks and memory"
            )
    return settings.model_copy(update={"content_sha256": digest})


def is_current(settings: OwnFunction) -> bool:
    """Return whether the file still has the content that the settings were resolved with.

    Examples
    --------
    >>> from replication.settings.schedule import OwnFunction
    >>> settings = OwnFunction(name="function", file="schedules/wsd.py", function="warmup_stable_decay")
    >>> is_current(checked(settings)), is_current(settings)
    (True, False)
    """
    try:
        return sha256(_content(settings.file)).hexdigest() == settings.content_sha256
    except ConfigurationError:
        return False


def title_of(settings: OwnFunction) -> str:
    """Return what a page calls the curve: the function, its file and the settings that it is given.

    Examples
    --------
    >>> from replication.settings.schedule import OwnFunction
    >>> settings = OwnFunction(name="function", file="schedules/wsd.py", function="warmup_stable_decay", stable=0.9)
    >>> title_of(settings)
    'warmup_stable_decay (schedules/wsd.py), stable 0.9'
    """
    given = "".join(f", {name} {value}" for name, value in settings.keywords.items())
    return f"{settings.function} ({settings.file}){given}"


def _read(profile: Profile, points: Iterable[float]) -> dict[float, float]:
    return {point: profile(point) for point in points}


def _content(file: str) -> bytes:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ConfigurationError(
            f"file {shown(file)} is outside the project: copy it into the project's folder, and give its path there, "
            "such as schedules/mine.py"
        )
    try:
        return user_path(file, "file", "file").read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"file {shown(file)} cannot be read ({error.strerror}): correct it"
        ) from error


def _check_content(settings: OwnFunction, digest: str) -> None:
    if settings.content_sha256 not in (None, digest):
        raise ConfigurationError(
            f"file {settings.file} has the SHA-256 {digest[:12]}…, and content_sha256 says "
            f"{shown(settings.content_sha256)[:12]}…: it has changed since; start again, or correct content_sha256 "
            "where it is written in the study"
        )


def _of(settings: OwnFunction) -> str:
    return f"file {settings.file}: {settings.function}"


def _profile(settings: OwnFunction, text: bytes) -> Profile:
    function = _function(settings, _run(text, settings.file))
    keywords = settings.keywords
    _check_keywords(settings, function)

    def profile(progress: float) -> float:
        at = min(max(float(progress), 0.0), 1.0)
        return _multiplier(settings, function, at, keywords)

    return profile


def _run(text: bytes, file: str) -> dict[str, Any]:
    """Run the file as a module of its own, and return what it defines."""
    namespace: dict[str, Any] = {"__name__": Path(file).stem}
    try:
        tree = ast.parse(text, filename=file)
        _refuse_uncovered_imports(tree, file)
        exec(compile(tree, file, "exec", dont_inherit=True), namespace)
    except ConfigurationError:
        raise
    except SyntaxError as error:
        raise ConfigurationError(
            f"file {file}, line {error.lineno}: is not valid Python ({error.msg}): correct it"
        ) from error
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"file {file}: cannot be run ({_said(error)}): correct it") from error
    return namespace


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(error)}" if str(error) else type(error).__name__


def _refuse_uncovered_imports(tree: ast.Module, file: str) -> None:
    """Refuse imports of the project's code, which neither the file's digest covers nor the versions in a record."""
    places = (Path(), Path(file).parent)
    for module in _imported(tree):
        first = module.partition(".")[0]
        ours = any(Path(place, first).is_dir() or Path(place, f"{first}.py").exists() for place in places)
        if not first or first == PACKAGE.name or ours:
            raise ConfigurationError(
                f"file {file}: imports {module or 'from its own folder'}, whose changes would go unnoticed: put what "
                "it needs into the file itself; packages that are installed may be imported"
            )


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules that are imported; a relative one as nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "" if node.level else node.module or ""


def _function(settings: OwnFunction, namespace: Mapping[str, Any]) -> Callable[..., Any]:
    found: Callable[..., Any] | None = namespace.get(settings.function)
    if callable(found):
        return found
    own = [name for name, value in namespace.items() if isinstance(value, FunctionType)]
    if not own:
        raise ConfigurationError(
            f"file {settings.file}: defines no function; define `{shown(settings.function)}`"
        )
    raise ConfigurationError(f"file {settings.file}: {unknown_name('function', settings.function, own)}")


def _check_keywords(settings: OwnFunction, function: Callable[..., Any]) -> None:
    """Check that the function takes progress, and the settings that it is given by name."""
    what = _of(settings)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{what} does not say what it takes: define it with `def`") from error
    if not parameters or parameters[0].kind not in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        raise ConfigurationError(f"{what} takes no progress: its first parameter should be that")
    named = {
        parameter.name: parameter
        for parameter in parameters[1:]
        if parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    }
    for name in named:
        if name in type(settings).model_fields:
            raise ConfigurationError(
                f"{what} takes `{name}`, which is a key of the schedule itself: rename it"
            )
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        for name in settings.keywords:
            if name not in named:
                raise ConfigurationError(f"{what}: {unknown_name('setting', name, named)}")
    for name, parameter in named.items():
        if parameter.default is inspect.Parameter.empty and name not in settings.keywords:
            raise ConfigurationError(f"{what} needs `{name}`: add it")


def _multiplier(
    settings: OwnFunction, function: Callable[..., Any], progress: float, keywords: Mapping[str, Any]
) -> float:
    what = _of(settings)
    try:
        value = function(progress, **keywords)
    except (Exception, SystemExit) as error:
        raise ConfigurationError(
            f"{what} fails at progress {progress:g} ({_said(error)}): correct it"
        ) from error
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigurationError(
            f"{what} gives {shown(repr(value))} at progress {progress:g}: should be a number, the multiplier"
        )
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ConfigurationError(
            f"{what} gives {number:g} at progress {progress:g}: should be finite and not negative"
        )
    return number
