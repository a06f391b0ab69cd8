"""Small sums over named figures, as entries write them: + - * / ** and parentheses, nothing else."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping

_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_LONGEST = 200  # characters; a longer expression is no longer a small sum


def names_in(expression: str) -> list[str]:
    """Return the names of figures in an expression, each once, in order.

    Raises ValueError, with what is wrong, for anything but a small sum.

    >>> names_in("(jobs_2002 / jobs_1996 - 1) * 100")
    ['jobs_2002', 'jobs_1996']
    """
    return list(dict.fromkeys(_names(_parse(expression))))


def evaluate(expression: str, figures: Mapping[str, float]) -> float:
    """Return the value of an expression.

    Raises ValueError for anything but a small sum over ``figures``, and ArithmeticError where it has no real value.

    >>> evaluate("(jobs_2002 / jobs_1996 - 1) * 100", {"jobs_1996": 20_000, "jobs_2002": 30_000})
    50.0
    """
    return _value(_parse(expression), figures)


def _parse(expression: str) -> ast.expr:
    if len(expression) > _LONGEST:
        raise ValueError(f"longer than {_LONGEST} characters")
    try:
        tree = ast.parse(expression, mode="eval").body
    except SyntaxError as error:
        raise ValueError("not a sum that can be read") from error
    _names(tree)
    return tree


def _names(node: ast.expr) -> list[str]:
    match node:
        case ast.Name(id=name):
            return [name]
        case ast.Constant(value=value) if type(value) in (int, float):
            return []
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _names(operand)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _names(left) + _names(right)
    raise ValueError(f"'{ast.unparse(node)}' is not one of names, numbers, + - * / ** and parentheses")


def _value(node: ast.expr, figures: Mapping[str, float]) -> float:
    match node:
        case ast.Name(id=name):
            if name not in figures:
                raise ValueError(f"no figure is called '{name}'")
            return float(figures[name])
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.UnaryOp(operand=operand):
            return -_value(operand, figures)
        case ast.BinOp(left=left, op=op, right=right):
            result = _OPERATORS[type(op)](_value(left, figures), _value(right, figures))
            if isinstance(result, complex):
                raise ArithmeticError("an even root of a negative number")
            return result
    raise ValueError("not a sum that can be read")  # _parse has refused it already
