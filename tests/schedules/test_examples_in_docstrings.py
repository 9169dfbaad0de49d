"""The examples in the docstrings of the schedules: each function has one, and prints what it says."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import replication.schedules
from places import ROOT
from project import inside

# `signatures` holds types only; `from_settings` puts together what the other modules define.
OTHERS = {"signatures", "from_settings"}
MODULES = sorted({module.name for module in pkgutil.iter_modules(replication.schedules.__path__)} - OTHERS)


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name):
    module = importlib.import_module(f"replication.schedules.{name}")
    with inside(ROOT):
        result = doctest.testmod(module)
    assert result.failed == 0
    assert result.attempted > 0


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_has_an_example(name):
    module = importlib.import_module(f"replication.schedules.{name}")
    functions = {
        function: value
        for function, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not function.startswith("_")
    }
    lacking = [name for name, value in functions.items() if ">>> " not in (inspect.getdoc(value) or "")]
    assert lacking == []
