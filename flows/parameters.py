"""How declared options become the flat parameters of a flow and of a command.

Prefect and Typer both read a function's signature. A flow's parameters stay flat, and are not one nested object,
because Prefect merges the parameters of a deployment and of a run one level deep (docs/decisions/0017).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from dataclasses import Field as DataclassField
from datetime import date, datetime
from functools import partial, wraps
from inspect import Parameter, Signature, get_annotations, signature
from math import inf
from types import NoneType
from typing import Annotated, Any, ParamSpec, TypeVar, get_args, get_origin, get_type_hints

import typer
from pydantic import Field

from flows.options import PANELS
from forecasting.contracts.errors import OptionError
from forecasting.contracts.spec import Option

Options = TypeVar("Options")
P = ParamSpec("P")
R = TypeVar("R")


def _json_object(text: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(text, Mapping):
        return text  # Typer also reads defaults
    try:
        given = json.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"this is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise typer.BadParameter('give a JSON object, as {"hosts": ["10.0.0.1", "10.0.0.2"]}')
    return given


# How the command line reads a type, and what stands for a value of it in the help.
_PARSERS: dict[Any, Callable[[Any], Any]] = {
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
    Mapping: _json_object,
}
_METAVARS = {
    date: "YYYY-MM-DD",
    datetime: "YYYY-MM-DDTHH:MM",
    Mapping: "JSON",
    int: "N",
    float: "X",
    str: "TEXT",
}


def takes(options: type[Options]) -> Callable[[Callable[[Options], R]], Callable[..., R]]:
    """Give a function of one options object the flat parameters of that object's fields, in the order of PANELS."""
    hints = get_type_hints(options, include_extras=True)
    panels = {each.name: _panel(options, each.name) for each in fields(options)}  # type: ignore[arg-type]
    parameters = [
        Parameter(each.name, Parameter.KEYWORD_ONLY, default=_default(each), annotation=hints[each.name])
        for each in sorted(fields(options), key=lambda each: PANELS.index(panels[each.name]))  # type: ignore[arg-type]
    ]

    def decorate(function: Callable[[Options], R]) -> Callable[..., R]:
        @wraps(function)
        def call(**given: Any) -> R:
            return function(options(**given))

        return _with_parameters(call, parameters, panels)

    return decorate


def described(function: Callable[P, R]) -> Callable[P, R]:
    """Give a function whose parameters are annotated with an `Option` the help and bounds that Typer reads."""
    hints = get_type_hints(function, include_extras=True)
    parameters = [each.replace(annotation=hints[each.name]) for each in signature(function).parameters.values()]
    return _with_parameters(function, parameters, {})


def _with_parameters(
    function: Callable[P, R], parameters: list[Parameter], panels: Mapping[str, str]
) -> Callable[P, R]:
    """Set the signature, with every `Option` translated for Prefect's form and for the command line."""
    shown = [each.replace(annotation=_translated(each.annotation, each, panels.get(each.name))) for each in parameters]
    function.__signature__ = Signature(shown)  # type: ignore[attr-defined]
    function.__annotations__ = {each.name: each.annotation for each in shown}
    return function


def _translated(annotation: Any, parameter: Parameter, panel: str | None) -> Any:
    options = [each for each in getattr(annotation, "__metadata__", ()) if isinstance(each, Option)]
    if not options:
        return annotation
    [option] = options
    bare = annotation.__origin__
    return Annotated[bare, _for_prefect(option, parameter.name), _for_typer(option, bare, parameter, panel)]


def _for_prefect(option: Option, name: str) -> Any:
    # Prefect overwrites a field's own title and description, but keeps what is extra.
    shape = {"pattern": option.pattern} if option.pattern else {}
    title = option.title or name.replace("_", " ").capitalize()
    return Field(
        ge=option.least, le=option.most, json_schema_extra={"title": title, "description": option.help, **shape}
    )


def _for_typer(option: Option, annotation: Any, parameter: Parameter, panel: str | None) -> Any:
    kind = _kind(annotation)
    parse = option.parse or _PARSERS.get(kind) or (partial(_number, option, kind) if kind in (int, float) else None)
    metavar = option.metavar or _METAVARS.get(kind)
    return typer.Option(
        *([option.flag] if option.flag else []),
        help=option.help.removesuffix(".") + (f" ({bounds})." if (bounds := _bounds(option)) else "."),
        parser=_parser(parse, metavar) if parse else None,
        metavar=metavar,
        rich_help_panel=panel,
        show_default=parameter.default not in (None, Parameter.empty, {}),
    )


def _number(option: Option, kind: type[int] | type[float], text: str) -> float:
    """Read a number within its bounds. Typer's own bounds take so much room that the help cuts names of options."""
    try:
        value = kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a {'whole ' if kind is int else ''}number.") from None
    if not (-inf if option.least is None else option.least) <= value <= (inf if option.most is None else option.most):
        raise typer.BadParameter(f"{text} is out of bounds: {_bounds(option)}.")
    return value


def _bounds(option: Option) -> str:
    if option.least is None:
        return ""
    return f"{option.least} or more" if option.most is None else f"{option.least} to {option.most}"


def _kind(annotation: Any) -> Any:
    """The type of a value: without None, of a list that of its elements, without the arguments of a generic type."""
    arguments = get_args(annotation)
    if NoneType in arguments or get_origin(annotation) is list:
        return _kind(next(each for each in arguments if each is not NoneType))
    return get_origin(annotation) or annotation


def _parser(parse: Callable[[str], Any], metavar: str | None) -> Callable[[str], Any]:
    """Read a value; a mistake becomes an error of the command line."""

    def call(text: str) -> Any:
        try:
            return parse(text)
        except OptionError as error:
            raise typer.BadParameter(f"{error.problem}; {error.remedy}.") from None
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not of the form {metavar}.") from None

    return call


def _panel(options: type, name: str) -> str:
    """The panel of the class that declares the field."""
    owner: Any = next(each for each in options.__mro__ if name in get_annotations(each))
    return str(owner.panel)


def _default(option: "DataclassField[Any]") -> Any:
    if option.default is not MISSING:
        return option.default
    return option.default_factory() if option.default_factory is not MISSING else Parameter.empty
