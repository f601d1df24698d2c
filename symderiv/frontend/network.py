"""A network, or a program, as its user described it: validated, canonical, frozen."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symderiv.frontend.checks import (
    check_activations,
    check_bias,
    check_freeze,
    check_loss,
    check_scalars,
    check_single_units,
    check_size_names,
    check_sizes,
    check_title,
    check_word,
    family,
    parameter_names,
)
from symderiv.frontend.errors import SpecError, show
from symderiv.frontend.example import Example, check_example, check_program_example
from symderiv.frontend.known import hyperparameters, target_domain
from symderiv.frontend.nodes import to_text
from symderiv.frontend.program import (
    Request,
    Shapes,
    Statements,
    check_program,
    check_request,
    check_shapes,
    check_used,
    source_texts,
    variables,
)

MAX_STEM = 72
_WORD = re.compile("[A-Za-z0-9]+")
_REDUCTIONS = ("mean", "sum")
_ONLY_NETWORKS = (
    "sizes", "activations", "loss", "reduction", "penalty", "bias", "freeze", "scalars",
)  # fmt: skip


@dataclass(frozen=True)
class Network:
    """A feed-forward network with its cost, or a program; made by ``Network.build``.

    sizes        (n0, ..., nL), numbers or names; for generic depth the names of n0 and nL
    generic      whether the depth is a symbol
    activations  one a layer; for generic depth (hidden, output)
    loss         of one example; ``reduction`` over examples; ``penalty`` None or "l2"
    bias         whether a layer has one; for generic depth a single entry
    freeze       parameters held fixed: "b" (every bias), "W", or single ones such as "W1"
    scalars      whether to write w1, w2, ... out
    program      (name, expression) in order; then sizes, activations and bias are empty
    shapes       (variable, axis sizes) of a program
    sources      (name, text) of a program's statements as they were typed, for errors
    """

    sizes: tuple[int | str, ...] = ()
    generic: bool = False
    activations: tuple[str, ...] = ()
    loss: str = ""
    reduction: str = "mean"
    penalty: str | None = None
    bias: tuple[bool, ...] = ()
    freeze: tuple[str, ...] = ()
    scalars: bool = False
    title: str | None = None
    example: Example | None = None
    request: Request | None = None
    program: Statements = ()
    shapes: Shapes = ()
    sources: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)

    @classmethod
    def build(
        cls,
        sizes: object = None,
        activations: object = None,
        loss: object = None,
        *,
        reduction: object = None,
        penalty: object = None,
        bias: object = None,
        freeze: object = None,
        scalars: object = None,
        title: object = None,
        example: object = None,
        request: object = None,
        program: object = None,
        shapes: object = None,
    ) -> Network:
        """A network from Python: ``Network.build([2, 3, 1], "sigmoid", "bce")``.

        None stands for the default: sigmoid, mean, no penalty, a bias everywhere. Generic
        depth is ``["n0", "...", "nL"]``. Errors: SpecError, which names the argument.
        """
        given = {
            "sizes": sizes, "activations": activations, "loss": loss, "reduction": reduction,
            "penalty": penalty, "bias": bias, "freeze": freeze, "scalars": scalars,
        }  # fmt: skip
        if program is not None:
            extra = [name for name in _ONLY_NETWORKS if given[name] is not None]
            if extra:
                raise SpecError(f"{extra[0]} is given with a program",
                                "it belongs to a network; leave one of them out",
                                field=extra[0], value=given[extra[0]])  # fmt: skip
            return cls._from_program(program, shapes, title, example, request)
        if sizes is None:
            raise SpecError("sizes are missing", "give sizes such as 2-3-1, or a program",
                            field="sizes")  # fmt: skip
        if shapes is not None:
            raise SpecError(f"shapes is {show(shapes)}, but a network has sizes",
                            "shapes belong to a program", field="shapes", value=shapes)  # fmt: skip
        widths, generic = check_sizes(sizes)
        depth = len(widths) - 1
        chosen = check_activations(
            "sigmoid" if activations is None else activations, depth, generic
        )
        has_bias = check_bias(True if bias is None else bias, depth, generic)
        names = parameter_names(chosen, generic, has_bias)
        chosen_loss = check_loss(loss, chosen[-1])
        if not generic:
            check_single_units(widths, chosen)
        punished = None if penalty is None else check_word(penalty, "penalty", "penalty", ("l2",))
        hyper = hyperparameters(chosen, chosen_loss, punished)
        check_size_names(widths, (*names, *hyper))
        return cls(
            sizes=widths,
            generic=generic,
            activations=chosen,
            loss=chosen_loss,
            reduction=check_word(
                "mean" if reduction is None else reduction, "reduction", "reduction", _REDUCTIONS
            ),
            penalty=punished,
            bias=has_bias,
            freeze=check_freeze(() if freeze is None else freeze, names),
            scalars=check_scalars(False if scalars is None else scalars, widths, generic),
            title=check_title(title),
            example=check_example(
                example, widths, generic, names, hyper, target_domain(chosen_loss)
            ),
            request=check_request(request, (), ("X", *names), ("W", "b")),
        )

    @classmethod
    def _from_program(
        cls, program: object, shapes: object, title: object, example: object, request: object
    ) -> Network:
        statements = check_program(program)
        targets = [name for name, _ in statements]
        inputs = variables(statements)
        declared = check_shapes({} if shapes is None else shapes, inputs)
        asked = check_request(request, targets, (*inputs, *targets))
        if asked is None or asked.cost is None:
            check_used(statements)
        return cls(
            program=statements,
            shapes=declared,
            title=check_title(title),
            example=check_program_example(example, inputs, dict(declared)),
            request=asked,
            sources=source_texts(program),
        )

    def asking(self, wrt: Sequence[str]) -> Network:
        """This program, differentiated by ``wrt`` instead of what its own request says."""
        asked = self.request or Request()
        given = {"cost": asked.cost, "upstream": asked.upstream, "wrt": wrt}
        targets = [name for name, _ in self.program]
        request = check_request(given, targets, (*variables(self.program), *targets))
        return replace(self, request=request)

    @property
    def is_program(self) -> bool:
        """Whether this describes a program instead of layers."""
        return bool(self.program)

    @property
    def depth(self) -> int | None:
        """The number L of layers; None where it is a symbol, and for a program."""
        return None if self.generic or self.program else len(self.sizes) - 1

    @property
    def widths(self) -> dict[int, int | str]:
        """The number of units of each layer; none at any depth, and for a program."""
        return {} if self.generic or self.program else dict(enumerate(self.sizes))

    @property
    def parameters(self) -> tuple[str, ...]:
        """``W1, b1, W2, ...``; generic depth: the families ``W, b``; program: its variables."""
        if self.program:
            return variables(self.program)
        return parameter_names(self.activations, self.generic, self.bias)

    def is_frozen(self, parameter: str) -> bool:
        """Whether a parameter is held fixed, by its own name or its family's."""
        return parameter in self.freeze or family(parameter) in self.freeze

    @property
    def stem(self) -> str:
        """An identifier for files: ``net_2_3_1_sigmoid_bce``, ``program_J_a_b_9e03b9``.

        What long ones and programs lose of the spec, a hash of it at the end tells apart. A
        title, an example, a request and shapes are not in it.
        """
        if self.program:
            words = ["program", *_WORD.findall(self.spec)]
        else:
            words = ["net", *map(str, self.sizes), *(["generic"] if self.generic else [])]
            words += [*_shortest(self.activations), self.loss, *self._options()]
        stem = "_".join(words)
        for mark in "-,=":
            stem = stem.replace(mark, "_")
        if len(stem) <= MAX_STEM and not self.program:
            return stem
        digest = hashlib.sha256(self.spec.encode()).hexdigest()[: 6 if self.program else 8]
        return f"{stem[: MAX_STEM - len(digest) - 1].rstrip('_')}_{digest}"

    @property
    def spec(self) -> str:
        """The canonical inline text; ``parse_spec(net.spec)`` is the same network.

        What only a file can say (title, example, request, shapes) is not in it, and a
        text longer than the parser takes (hundreds of layers) serves as a name only.
        """
        if self.program:
            return "; ".join(f"{name} = {to_text(value)}" for name, value in self.program)
        ends = [str(size) for size in self.sizes]
        sizes = "-".join([ends[0], "...", ends[1]] if self.generic else ends)
        activations = ",".join(_shortest(self.activations))
        return "+".join([f"{sizes}:{activations}", self.loss, *self._options()])

    def _options(self) -> list[str]:
        layers = ",".join(str(i) for i, has in enumerate(self.bias, 1) if has)
        return [
            *([self.penalty] if self.penalty else []),
            *(["sum"] if self.reduction == "sum" else []),
            *([] if all(self.bias) else [f"bias={layers}"] if layers else ["nobias"]),
            *([f"freeze={','.join(self.freeze)}"] if self.freeze else []),
            *(["scalars"] if self.scalars else []),
        ]


def _shortest(activations: Sequence[str]) -> Sequence[str]:
    """One activation where all are the same."""
    return activations[:1] if len(set(activations)) == 1 else activations
