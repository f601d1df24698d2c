"""The sentences of a document by key; ``{name}`` is a formula or a reference.

They are told once, in the order in which a document uses them. The single words of the table of
symbols stand with the table, and what a rule says of a step stands with the rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from symderiv.documents.model import Code, Math, Part, Phrase, Ref
from symderiv.proof.field import BITS

TITLES = {
    "network": "Backpropagation for a {sizes} network",
    "layers": "Backpropagation for a network of {n} layers",
    "generic": "Backpropagation for a network of any depth",
    "program": "Gradients by backpropagation",
    "network_section": "The network",
    "operations_section": "The computation graph",
    "notation": "Notation",
    "forward": "Forward pass",
    "cost": "From the cost to one example",
    "cost_whole": "From the cost to its terms",
    "output": "The error of the output layer",
    "output_generic": "Induction, base: the error of the last {axis}",
    "hidden": "The error of layer {l}",
    "error": "The error of {z}",
    "hidden_generic": "Induction, step: from {axis} {next} to {axis} {l}",
    "gradients": "The gradients of {what}",
    "gradients_other": "The gradients of the other parameters",
    "gradients_program": "The gradients",
    "others": "The quantities in between",
    "four": "The equations in index and in matrix form",
    "lemmas": "Derivatives of the functions",
    "algorithms": "As an algorithm",
    "questions": "What people ask here",
    "worked": "The example in numbers",
    "written": "Written out, entry by entry",
    "checked": "What is checked, what is assumed",
}

BOXES = {
    "cancel": "Why {closed}, and where did the derivative of the activation go?",
    "accumulators": "Gradient descent with one pass over the examples",
    "passes": "One layer, forward and back",
    "mean": "Where does 1/m go?",
    "single": "How does the cost follow for one example?",
    "bias": "Why is the gradient of a bias a sum over the examples?",
    "unit": "What if the bias is a unit that is always 1?",
    "two": "Where does the 2 come from, and may it be left out?",
    "softmax": "Where is the derivative of softmax?",
}

SENTENCES = {
    # conventions
    "rows": "Examples are rows: {x} is {shape_x}, {W} is {shape_W}, and {forward}.",
    "columns": "Examples are columns: {x} is {shape_x}, {W} is {shape_W}, and {forward}.",
    "single": "One example: {x} is {shape_x}, {W} is {shape_W}, and {forward}.",
    "biased": ", with a bias {b} in layer {layers} alone",
    "biased_several": ", with a bias {b} in the layers {layers} alone",
    "numbering": "The input is layer {n}; a weight is counted with the layer that it feeds.",
    "numbering_left": "The input is layer {n}; a weight is counted with the layer that it leaves.",
    "delta_loss": "{delta} differentiates the loss {ell} of one example; {factor} enters once, "
    "in the gradient of {of}.",
    "of_parameter": "a parameter",
    "of_error": "a parameter or in an error of the cost",
    "of_input": "a parameter or of the input",
    "delta_loss_sum": "{delta} differentiates the loss {ell} of one example; the cost is their "
    "sum{rest}.",
    "besides": " plus {rest}",
    "delta_cost": "{delta} differentiates the cost {C}.",
    "loss_factor": "Loss {name}: {factor}.",
    "hyper": "{t} is a hyperparameter of {f}, {value} unless another value is given.",
    "ends": "Input and output have {first} = {in_} and {last} = {out} units.",
    "penalty": "The penalty takes the weights{biases}.",
    "penalty_of": "The penalty takes {names} alone.",
    "penalty_biases": ", not the biases",
    "frozen": "Frozen, and so without a gradient: {names}.",
    "kink": "{f} has no derivative at {at}{unless}; the value used there is {slopes}.",
    "kinks": "{f} has no derivative at {at}{unless}; the values used there are {slopes}.",
    "unless": " unless {equal}",
    "jump": "{f} jumps at {at}; the derivative used there is {slopes}.",
    # notation
    "sizes": "Numbers of units: {sizes}.",
    "network_figure": "The network. Every unit of a layer is joined to every unit of the next.",
    "layers_figure": "The quantities in the order of the forward pass. Below an arrow: the error "
    "that comes back along it.",
    "operations_figure": "Operations as nodes. Above an edge, in green, the value that goes "
    "forward along it; below, in red, the derivative of the cost that comes back along it.",
    # forward
    "why_part": "part of {f}",
    "why_assumed": "assumed: {fact}",
    "forward": "Each quantity is defined once, from quantities that come before it.",
    # chains
    "cost": "The cost sees one example only through its loss, so errors are taken of that loss, "
    "and the factor found here is all that the sum over examples adds.",
    "cost_some": "Errors are taken of the loss of one example where that is the only way to the "
    "cost, and of the cost elsewhere; the factor found here leads from the one to the other.",
    "cost_whole": "Errors are taken of the cost itself; first come its derivatives by the terms "
    "that it consists of.",
    "output": "The last layer is compared with the target{alone}.",
    "output_alone": "; every entry of {a} acts on its own",
    "output_vector": "Every output depends on every weighted input of the last layer, so that "
    "the chain rule runs through the parts of {f}.",
    "hidden": "A unit of layer {l} acts on {C} through every unit of layer {next}: the paths "
    "are summed. The weight that carried its value forward carries the error back.",
    "general": "Written for layer {l}, with the equation numbers of {member}; the same holds for "
    "{range}.",
    "output_generic": "At {last} the error comes from {C}.",
    "hidden_generic": "Let the errors of {axis} {next} be known. Then those of {axis} {l} follow, "
    "for {range}; with the base, all errors are known.",
    "gradient": "{what} acts through one weighted input alone{examples}{penalty}.",
    "gradient_input": "The gradient by the input is the cost's, so that it has the factor "
    "{factor}. If {x} is the output of a layer below, that layer's error is made from {slope}, "
    "without it.",
    "gradient_examples": ", in every example",
    "gradient_penalty": ", and through the penalty",
    "gradient_penalty_some": ", and through the penalty if that takes it",
    "gradient_other": "What else is learned acts through the equation that it stands in{examples}.",
    "box_cancel": "The derivative of the loss has {below} below the line, and the derivative of "
    "the activation is the same expression. They cancel, so that an output that is wrong and "
    "saturated still learns. With the squared error the factor stays.",
    "box_softmax": "Every output of softmax depends on every weighted input, so that its "
    "derivative is a matrix with the entries {entry}, not the product of one output with its "
    "complement. Summed with the targets, which add up to 1, it leaves {closed}.",
    # the four equations
    "all_four": "The same equations without indices",
    "some_four": "Those of them that can be written without indices",
    "four_shapes": ", with the shape under each matrix",
    "ones": "{one} is the array of ones of the fitting shape.",
    "layers": "for {range}",
    "a0": "{a0} is the input {x}.",
    # why of a row
    "why_error": "definition of the error",
    # algorithms
    "loop_start": "{sums} := 0, every entry",
    "loop_for": "for {s} = 1 to {m}",
    "loop_forward": "compute every quantity of example {s} by {refs}",
    "pass_forward": "forward, layer {l}:",
    "pass_keep": "keep {z} and what went in, for the way back",
    "pass_back": "back, layer {l}:",
    "count": "The network has {sum} parameters{part}. Difference quotients by each of {these} take "
    "{more} forward passes, one for each parameter and one to compare with; backpropagation takes "
    "one forward pass and one pass back, for all {n} derivatives together.",
    "count_part": "; gradients are taken by {n} of them",
    # written out
    "written": "The same network entry by entry. SymPy has derived it a second time from these "
    "equations, symbol by symbol and without index notation, and both results agree.",
    "written_one": "The same network entry by entry, for one example. SymPy has derived it a "
    "second time from these equations, symbol by symbol and without index notation, and both "
    "results agree.",
    "written_back": "The errors from the last layer back, and the gradients:",
    # questions
    "box_mean": "Into the gradients, once. {delta} differentiates the loss of one example and "
    "knows nothing of the others; the mean over the examples is taken where their shares are "
    "added up. Dividing in both places, or again in the step of gradient descent, makes the step "
    "too small.",
    "box_mean_cost": "Into the errors, once. {delta} differentiates {C}, so that the factor is in "
    "it from the start and has not to enter again where the shares of the examples are added up. "
    "Dividing in both places, or again in the step of gradient descent, makes the step too small.",
    "box_single": "The cost over many examples is {total}. With m = 1 there is one term{alone}, "
    "and {C} is the loss of that example{penalty}.",
    "single_mean": " and nothing to divide by",
    "single_penalty": " plus {R}",
    "box_bias": "One {b} serves every example: it is added to the weighted input of each of them, "
    "so that every example has a share in the derivative, and the shares add up. In NumPy this is "
    "the sum along the axis of the examples. The product of matrices that gives the gradient of "
    "the weights contains the same sum.",
    "box_unit": "Then the biases are one more {line} of {W}, and {product} "
    "has one more component, number 0, that belongs to this unit. Nothing goes into the "
    "unit, its value does not depend on any weighted input: the component is dropped before the "
    "step to the layer below. With separate biases, as here, it never arises.",
    "unit_product_columns": "the transposed matrix times the error",
    "unit_product_rows": "the error times the transposed matrix",
    "box_two": "From the power rule on the square. Many texts put one half in front of the square "
    "and have none in the gradient; the minimum is the same, but the gradient is half as long, "
    "and with it every step of the same rate.",
    # worked numbers
    "worked": "Every number is computed in exact fractions or with fifty digits, and rounded to "
    "{digits} significant digits for print.",
    "worked_forward": "Forward, each quantity from those before it:",
    "worked_back": "Back, by the closed forms above:",
    "worked_by": "by {refs}",
    "worked_update": "One step of gradient descent with the rate {rate}:",
    "worked_update_held": "One step of gradient descent with the rate {rate}; what is frozen "
    "keeps its value:",
    "worked_after": "The cost {C} was {before}; after this step it is {after}.",
    "worked_last": "After {n} steps {C} is {after}.",
    "worked_last_of": "After {n} of the {steps} steps {C} is {after}.",
    # lemmas
    "lemmas": "A derivative in terms of the function's own value. Each is proved from the "
    "definition of its function, and used above as a premise.",
    "lemma_definition": "definition",
    # what is checked
    "checked": "Each step was judged on its own, knowing the forward equations and nothing of "
    "the way in which the gradients were found.",
    "count_proved": "{steps} proved for {scope}{refs}{hidden}.",
    "unnumbered": ", {n} of them without a number, since it prints as the line before",
    "unnumbered_several": ", {n} of them without a number, since they print as the line before",
    "count_tested": "{steps} {scope}, not proved{refs}.",
    "count_undecided": "{steps} undecided ({scope}){refs}.",
    "count_refuted": "{steps} refuted{refs}.",
    "count_assumed": "{steps} assumed{refs}.",
    "count_definition": "{n} forward equations are definitions.",
    "count_one_definition": "One forward equation is a definition.",
    "method": "Decided by {method}: {steps}{confirmed}{bound}.",
    "confirmed": ", confirmed at random points of {field}",
    "bound": ", the chance of an error being less than {bound} for each point",
    "lemma_status": "{ref} is {status} ({method}{bound}).",
    "assumption": "Assumed: {fact}; {text}.",
    "domain": "Assumed: {argument} is {text}, where {f} is defined.",
    "domains": "Assumed: {argument} are {text}, where {f} is defined.",
    "denominator": "Assumed: {argument} is not 0, since it divides.",
    "denominators": "Assumed: {argument} are not 0, since they divide.",
    "bracket": "A bracket is 1 where what it says is true, and 0 elsewhere. This 0 is strong: a "
    "product with it is 0 even where the other factor has no value.",
    "guarded": "{condition} This is asked only where {guards}.",
    "positive": "Assumed: {argument} is positive, where {ref} takes a logarithm apart.",
    "off_kink": "The derivative of {f} holds off its kink at {at}, where {letter} is {argument}.",
    "off_kinks": "The derivative of {f} holds off its kinks at {at}, where {letter} is {argument}.",
    "off_jump": "The derivative of {f} holds off its jump at {at}, where {letter} is {argument}.",
    "off_tie": "The derivative of the maximum {argument} holds where one is the greatest.",
    "off_ties": "The derivatives of the maxima {argument} hold where in each one is the greatest.",
    "no_assumptions": "Nothing is assumed of the data.",
}


def title(key: str, **parts: Part | Phrase) -> Phrase:
    """A heading with its formulas."""
    return filled(TITLES[key], parts)


def box_title(key: str, **parts: Part) -> Phrase:
    """The title of an aside."""
    return filled(BOXES[key], parts)


def say(key: str, **parts: Part | Phrase) -> Phrase:
    """A sentence with its formulas."""
    return filled(SENTENCES[key], parts)


def filled(template: str, parts: Mapping[str, Part | Phrase]) -> Phrase:
    """A sentence with its places filled."""
    out: list[Part] = []
    for n, piece in enumerate(re.split(r"\{(\w+)\}", template)):
        part: Part | Phrase = parts[piece] if n % 2 else piece
        for one in part if isinstance(part, tuple) else (part,):
            if one == "":
                continue
            if isinstance(one, str) and out and isinstance(out[-1], str):
                out[-1] += one
            else:
                out.append(one)
    return tuple(out)


def certainty(bound: Fraction | None) -> str:
    """What a verdict leaves to chance."""
    if bound is None:
        return ""
    return f"error < {chance(bound)} in each evaluation" if bound else "exact"


def chance(bound: Fraction) -> str:
    """``12/2^61``: a chance counts elements of the field, so it is not cancelled."""
    return f"{bound * 2**BITS}/2^{BITS}"


def joined(*sentences: Phrase) -> Phrase:
    """Sentences one after another, without those that have nothing to say."""
    out: list[Part] = []
    for sentence in sentences:
        out += [" ", *sentence] if out and sentence else sentence
    return tuple(out)


def enumerated(parts: list[Part], last: str = " and ") -> Phrase:
    """``a, b and c``."""
    return enumerated_phrases([(part,) for part in parts], last)


def enumerated_phrases(phrases: list[Phrase], last: str = " and ") -> Phrase:
    """The same of phrases, which may have more than one part."""
    out: list[Part] = []
    for n, phrase in enumerate(phrases):
        if n:
            out.append(last if n == len(phrases) - 1 else ", ")
        out.extend(phrase)
    return tuple(out)


def plain(phrase: Phrase, unicode: bool = True) -> str:
    """A phrase as text."""
    return "".join(_plain(part, unicode) for part in phrase)


def _plain(part: Part, unicode: bool) -> str:
    match part:
        case Math():
            return part.unicode if unicode else part.ascii
        case Ref(tag):
            return f"({tag})"
        case Code(text):
            return text
        case _:
            return part
