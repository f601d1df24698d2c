"""Programs with shapes put together at random, and what NumPy makes of their texts."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Shape = tuple[int | str, ...]

SIZES: tuple[tuple[int | str, ...], ...] = (
    (1, 2, 3), (1, "m", "n"), ("m", 1), (2, "n", 1), ("m", "n"), (1, 3),
)  # fmt: skip
SCALAR = ("tanh", "sigmoid", "sin", "softplus", "relu", "abs", "arctan")
COMPARISONS = (">", "<", ">=", "<=")
WORDS = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Program:
    """Statements, the shapes of the inputs, and the names of what to differentiate by, or all."""

    statements: tuple[tuple[str, str], ...]
    shapes: Mapping[str, Shape]
    wrt: tuple[str, ...] | None

    @property
    def texts(self) -> dict[str, str]:
        """The shapes of the arrays as they are written."""
        return {name: " ".join(map(str, shape)) for name, shape in self.shapes.items() if shape}


@dataclass
class Maker:
    """Puts programs together; the seed decides everything."""

    random: random.Random
    sizes: tuple[int | str, ...] = ()
    inputs: dict[str, Shape] = field(default_factory=dict)
    steps: dict[str, tuple[Shape, str]] = field(default_factory=dict)

    def program(self) -> Program:
        """Some steps, and a cost that reads what comes out."""
        self.sizes = self.random.choice(SIZES)
        cost = self.text((), self.random.choice((2, 3, 3, 4)))
        statements = tuple(_needed([*((n, t) for n, (_, t) in self.steps.items()), ("J", cost)]))
        words = {word for _, text in statements for word in WORDS.findall(text)}
        shapes = {name: shape for name, shape in self.inputs.items() if name in words}
        known = {size for shape in shapes.values() for size in shape}
        shapes |= {name: () for name in ("m", "n") if name in words - known}
        steps = [name for name, _ in statements[:-1]]
        named = [*steps, *steps, *shapes]
        wrt = None
        if named and self.random.random() < 0.5:
            wrt = tuple(dict.fromkeys(self.random.choices(named, k=self.random.choice((1, 2)))))
        return Program(statements, shapes, wrt)

    # --- leaves --------------------------------------------------------------------------------

    def size(self) -> int | str:
        return self.random.choice(self.sizes)

    def leaf(self, shape: Shape) -> str:
        """A number, an input or a step of this shape; new ones while there are few."""
        if not shape and self.random.random() < 0.3:
            named = [size for size in self.sizes if isinstance(size, str)]
            return self.random.choice(("2", "3", "0.5", "-1", "1/3", *named))
        known = [n for n, s in self.inputs.items() if s == shape]
        known += [n for n, (s, _) in self.steps.items() if s == shape]
        if known and (self.random.random() < 0.7 or len(self.inputs) > 6):
            return self.random.choice(known)
        name = f"{'abcd'[len(shape)]}{len(self.inputs)}"
        self.inputs[name] = shape
        return name

    def step(self, shape: Shape, depth: int) -> str:
        """A statement of its own."""
        text = self.text(shape, depth - 1)
        name = f"s{len(self.steps)}"
        self.steps[name] = (shape, text)
        return name

    def narrower(self, shape: Shape) -> Shape:
        """A shape that broadcasts to this one."""
        kept = shape[self.random.choice((0, 0, 0, *range(len(shape) + 1))) :]
        return tuple(1 if self.random.random() < 0.2 else size for size in kept)

    # --- expressions ---------------------------------------------------------------------------

    def text(self, shape: Shape, depth: int) -> str:
        """An expression of this shape."""
        if depth <= 0:
            return self.leaf(shape)
        forms: list[Callable[[Shape, int], str]] = [
            self.step, self.binary, self.binary, self.binary, self.quotient, self.call,
            self.choice, self.vanishing, self.power,
        ]  # fmt: skip
        forms += [self.reduced, self.reduced, self.kept, self.part]
        forms += {0: [self.whole, self.whole, self.whole], 1: [self.product], 2: [self.product,
                  self.transposed], 3: []}[len(shape)]  # fmt: skip
        return self.random.choice(forms)(shape, depth)

    def binary(self, shape: Shape, depth: int) -> str:
        sides = [self.text(shape, depth - 1), self.text(self.narrower(shape), depth - 1)]
        self.random.shuffle(sides)
        return f"({sides[0]} {self.random.choice('+-**')} {sides[1]})"

    def quotient(self, shape: Shape, depth: int) -> str:
        below = self.text(self.narrower(shape), depth - 1)
        return f"({self.text(shape, depth - 1)} / (2 + {below}**2))"

    def power(self, shape: Shape, depth: int) -> str:
        return f"({self.text(shape, depth - 1)})**{self.random.choice('234')}"

    def call(self, shape: Shape, depth: int) -> str:
        inner = self.text(shape, depth - 1)
        wrapped = (f"exp(sin({inner}))", f"log(2 + {inner}**2)", f"sqrt(1 + {inner}**2)")
        function = self.random.choice((*SCALAR, *SCALAR, "", "softmax"))
        if function == "softmax" and not shape:
            function = "sigmoid"
        return f"{function}({inner})" if function else self.random.choice(wrapped)

    def choice(self, shape: Shape, depth: int) -> str:
        sides = [self.text(self.narrower(shape), depth - 1) for _ in range(2)]
        sides[self.random.randrange(2)] = self.text(shape, depth - 1)
        if self.random.random() < 0.3:
            return f"{self.random.choice(('maximum', 'minimum'))}({sides[0]}, {sides[1]})"
        left, right = (self.text(self.narrower(shape), depth - 1) for _ in range(2))
        test = f"{left} {self.random.choice(COMPARISONS)} {right}"
        return f"where({test}, {sides[0]}, {sides[1]})"

    def vanishing(self, shape: Shape, depth: int) -> str:
        """Something of this shape from which an array goes away, maybe with its sizes."""
        gone, left = self.leaf(shape), self.text(self.narrower(shape), depth - 1)
        if not WORDS.match(gone):
            return left
        return self.random.choice((
            f"where({gone} > {gone}, {gone}, {left})", f"({left} + {gone} - {gone})",
            f"where({gone} >= {gone}, {left}, {gone})", f"(0*{gone} + {left})",
        ))  # fmt: skip

    def whole(self, shape: Shape, depth: int) -> str:
        """All entries of an array as one number."""
        inner = tuple(self.size() for _ in range(self.random.choice((1, 1, 2, 2, 3))))
        if self.random.random() < 0.1:
            return f"{self.random.choice(('max', 'min'))}({self.leaf(inner)})"
        text = self.text(inner, depth - 1)
        return self.random.choice((f"sum({text})", f"mean({text})", f"sqrt(1 + sum(({text})**2))"))

    def reduced(self, shape: Shape, depth: int) -> str:
        """The sum along an axis that there was."""
        if len(shape) == 3:
            return self.binary(shape, depth)
        axis = self.random.randrange(len(shape) + 1)
        inner = (*shape[:axis], self.size(), *shape[axis:])
        if self.random.random() < 0.1:
            return f"max({self.leaf(inner)}, axis={axis})"
        function = self.random.choice(("sum", "mean"))
        return f"{function}({self.text(inner, depth - 1)}, axis={axis})"

    def kept(self, shape: Shape, depth: int) -> str:
        """The sum along an axis of which a place is left, where there is one of length 1."""
        places = [n for n, size in enumerate(shape) if size == 1]
        if not places:
            return self.call(shape, depth)
        axis = self.random.choice(places)
        inner = (*shape[:axis], self.size(), *shape[axis + 1 :])
        function = self.random.choice(("sum", "mean"))
        return f"{function}({self.text(inner, depth - 1)}, axis={axis}, keepdims=True)"

    def part(self, shape: Shape, depth: int) -> str:
        """A part of an array at one place of its first axis."""
        if len(shape) == 3:
            return self.quotient(shape, depth)
        size = self.size()
        place = self.random.choice((0, -1)) if size != 1 else 0
        return f"{self.leaf_array((size, *shape))}[{place}]"

    def leaf_array(self, shape: Shape) -> str:
        found = self.leaf(shape)
        assert WORDS.fullmatch(found)
        return found

    def product(self, shape: Shape, depth: int) -> str:
        size = self.size()
        if len(shape) == 2 and self.random.random() < 0.2:
            left, right = (self.text((n,), depth - 1) for n in shape)
            return f"outer({left}, {right})"
        inner = [(*shape[:1], size), (size, *shape[1:])]
        if len(shape) == 1 and self.random.random() < 0.5:
            inner = [(size,), (size, *shape)]
        left, right = (self.text(s, depth - 1) for s in inner)
        return f"({left} @ {right})"

    def transposed(self, shape: Shape, depth: int) -> str:
        return f"({self.text(shape[::-1], depth - 1)}).T"


def made(seed: int) -> Program:
    """The program of a seed."""
    return Maker(random.Random(seed)).program()


def _needed(statements: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The statements that the last one is computed from."""
    wanted = {statements[-1][0]}
    kept = []
    for name, text in reversed(statements):
        if name in wanted:
            kept.append((name, text))
            wanted.update(WORDS.findall(text))
    return kept[::-1]


# --- What NumPy makes of the texts ----------------------------------------------------------------


def point(program: Program, seed: int) -> dict[str, Any]:
    """Random numbers for the inputs; the sizes with names are random as well, and may be 1."""
    rng = np.random.default_rng(seed)
    sizes = {"m": int(rng.integers(1, 4)), "n": int(rng.integers(2, 5))}
    shapes = {n: tuple(sizes.get(s, s) for s in shape) for n, shape in program.shapes.items()}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def value(program: Program, given: Mapping[str, Any], moved: Mapping[str, Any]) -> dict[str, Any]:
    """All quantities, for complex numbers as well; a step is ``moved`` after it is computed."""
    sizes = {
        size: count
        for name, shape in program.shapes.items()
        for size, count in zip(shape, np.shape(given[name]), strict=True)
    }
    found = {**FUNCTIONS, **sizes, **given}
    for name, text in program.statements:
        result = np.asarray(eval(text, found))
        found[name] = result + moved[name] if name in moved else result
    return found


def gradient(program: Program, given: Mapping[str, Any], name: str) -> Any:
    """The gradient of J by an input or a step, each entry by a complex step."""
    shape = np.shape(value(program, given, {})[name])
    result = np.zeros(shape)
    for place in np.ndindex(*shape):
        step = np.zeros(shape, complex)
        step[place] = 1e-30j
        if name in given:
            found = value(program, {**given, name: given[name] + step}, {})
        else:
            found = value(program, given, {name: step})
        result[place] = np.imag(found["J"]) / 1e-30
    return result


def _largest(array: Any, axis: int | None = None, sign: int = 1) -> Any:
    array = np.asarray(array)
    if axis is None:
        array, axis = array.ravel(), 0
    at = np.expand_dims(np.argmax(sign * np.real(array), axis=axis), axis)
    return np.squeeze(np.take_along_axis(array, at, axis), axis)


def _softmax(z: Any) -> Any:
    e = np.exp(z)
    return e / np.sum(e, axis=-1, keepdims=True)


FUNCTIONS: dict[str, Any] = {
    "sum": np.sum, "mean": np.mean, "outer": np.outer,
    "max": _largest, "min": lambda x: _largest(x, sign=-1),
    "maximum": lambda x, y: np.where(np.real(x) > np.real(y), x, y),
    "minimum": lambda x, y: np.where(np.real(x) < np.real(y), x, y),
    "tanh": np.tanh, "sin": np.sin, "exp": np.exp, "log": np.log, "sqrt": np.sqrt,
    "arctan": np.arctan, "where": np.where, "softmax": _softmax,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "softplus": lambda z: np.log(1 + np.exp(z)),
    "relu": lambda z: np.where(np.real(z) > 0, z, 0),
    "abs": lambda z: np.where(np.real(z) < 0, -z, z),
}  # fmt: skip
