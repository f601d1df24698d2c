"""The text of a generated module: how it reads, that it repeats itself, and runs as a script."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symderiv.algebra.expr import Role
from symderiv.calculus.backprop import backprop
from symderiv.code import NoCode, numpy_module, numpy_statement
from symderiv.code.functions import Functions
from symderiv.code.module import module_text
from symderiv.frontend.presentation import Presentation
from symderiv.proof.check import check
from tests.code.generated import LAYOUTS, NETWORKS, graph, source

ROOT = Path(__file__).parents[2]

PASSES = {
    "columns": """\
    z1 = W1 @ X + b1  # (D1) z¹ = W¹ x + b¹ 1ᵀ
    a1 = sigmoid(z1)  # (D2) a¹ = σ(z¹)
    z2 = W2 @ a1 + b2  # (D3) z² = W² a¹ + b² 1ᵀ
    ell = np.sum(bce_logits(z2, Y), axis=0)  # (D5) ℓ = 1ᵀ bce(a², y), straight from z²
    return ell.sum() / m  # (D6) C = 1/m ℓ 1
    delta2 = bce_logits_prime(z2, Y)  # (BP1) δ² = a² − y
    delta1 = (W2.T @ delta2) * sigmoid_prime(z1)  # (BP2) δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)
    return sigmoid(z2)  # (D4) a² = σ(z²)
    dW1 = delta1 @ X.T / m  # (BP4) ∂C/∂W¹ = 1/m δ¹ xᵀ
    db1 = delta1.sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂b¹ = 1/m δ¹ 1
    dW2 = delta2 @ a1.T / m  # (BP4) ∂C/∂W² = 1/m δ² a¹ᵀ
    db2 = delta2.sum(axis=1, keepdims=True) / m  # (BP3) ∂C/∂b² = 1/m δ² 1
    return W1.T @ delta1 / m  # (BP5) ∂C/∂x = 1/m W¹ᵀ δ¹
""",
    "rows": """\
    z1 = X @ W1 + b1  # (D1) z¹ = x W¹ + 1 b¹
    a1 = sigmoid(z1)  # (D2) a¹ = σ(z¹)
    z2 = a1 @ W2 + b2  # (D3) z² = a¹ W² + 1 b²
    ell = np.sum(bce_logits(z2, Y), axis=1)  # (D5) ℓ = bce(a², y) 1, straight from z²
    return ell.sum() / m  # (D6) C = 1/m 1ᵀ ℓ
    delta2 = bce_logits_prime(z2, Y)  # (BP1) δ² = a² − y
    delta1 = (delta2 @ W2.T) * sigmoid_prime(z1)  # (BP2) δ¹ = (δ² W²ᵀ) ⊙ σ′(z¹)
    return sigmoid(z2)  # (D4) a² = σ(z²)
    dW1 = X.T @ delta1 / m  # (BP4) ∂C/∂W¹ = 1/m xᵀ δ¹
    db1 = delta1.sum(axis=0) / m  # (BP3) ∂C/∂b¹ = 1/m 1ᵀ δ¹
    dW2 = a1.T @ delta2 / m  # (BP4) ∂C/∂W² = 1/m a¹ᵀ δ²
    db2 = delta2.sum(axis=0) / m  # (BP3) ∂C/∂b² = 1/m 1ᵀ δ²
    return delta1 @ W1.T / m  # (BP5) ∂C/∂x = 1/m δ¹ W¹ᵀ
""",
    "single": """\
    z1 = W1 @ X + b1  # (D1) z¹ = W¹ x + b¹
    a1 = sigmoid(z1)  # (D2) a¹ = σ(z¹)
    z2 = W2 @ a1 + b2  # (D3) z² = W² a¹ + b²
    ell = np.sum(bce_logits(z2, Y))  # (D5) ℓ = 1ᵀ bce(a², y), straight from z²
    return ell  # (D6) C = ℓ
    delta2 = bce_logits_prime(z2, Y)  # (BP1) δ² = a² − y
    delta1 = (W2.T @ delta2) * sigmoid_prime(z1)  # (BP2) δ¹ = (W²ᵀ δ²) ⊙ σ′(z¹)
    return sigmoid(z2)  # (D4) a² = σ(z²)
    dW1 = np.outer(delta1, X)  # (BP4) ∂C/∂W¹ = δ¹ xᵀ
    db1 = delta1  # (BP3) ∂C/∂b¹ = δ¹
    dW2 = np.outer(delta2, a1)  # (BP4) ∂C/∂W² = δ² a¹ᵀ
    db2 = delta2  # (BP3) ∂C/∂b² = δ²
    return W1.T @ delta1  # (BP5) ∂C/∂x = W¹ᵀ δ¹
""",
}


def cited(text: str) -> str:
    return "".join(f"{n}\n" for n in text.splitlines() if re.search(r"# \((D|BP)\d+\)", n))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_line_cites_its_equation(layout: str) -> None:
    assert cited(source("2-3-1:sigmoid+bce", layout)) == PASSES[layout]


def test_generic_depth_is_loops_over_the_layers() -> None:
    text = source("n0-...-nL:sigmoid+bce+l2", "columns")
    for part in (
        "def PARAMETERS(sizes):",
        "    for l in range(1, L + 1):\n        z[l] = W[l] @ a[l - 1] + b[l]  # (D2) zˡ = Wˡ aˡ⁻¹",
        "    for l in range(L - 1, 0, -1):\n",
        "        delta[l] = (W[l + 1].T @ delta[l + 1]) * sigmoid_prime(z[l])",
        "        # (BP4) ∂C/∂Wˡ = 1/m δˡ aˡ⁻¹ᵀ + λ/m Wˡ\n"
        '        gradients[f"W{l}"] = delta[l] @ a[l - 1].T / m + lam / m * W[l]\n',
    ):
        assert part in text


def test_only_functions_that_are_called_are_there() -> None:
    text = source("5-4-3:relu,identity+mse", "rows")
    assert re.findall(r"^def (\w+)", text, re.M) == [
        "init", "relu", "mse", "_forward", "_cost", "_errors", "forward", "cost",
        "cost_and_gradients", "input_gradient", "train", "_batches", "_arrays", "_named", "_array",
        "_count",
        "relu_definition", "mse_definition", "reference_cost", "check_gradients",
    ]  # fmt: skip
    for spec in NETWORKS:
        for layout in LAYOUTS:
            text = source(spec, layout)
            for name in re.findall(r"^def (\w+)", text, re.M):
                public = {"init", "forward", "cost", "cost_and_gradients", "input_gradient",
                          "train", "check_gradients"}  # fmt: skip
                assert name in public or len(re.findall(rf"\b{name}\(", text)) > 1, name


@pytest.mark.parametrize("spec", NETWORKS)
def test_generated_code_has_no_dead_names(spec: str, tmp_path: Path) -> None:
    for layout in LAYOUTS:
        (tmp_path / f"net_{layout}.py").write_text(source(spec, layout), encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9,W,B,UP,I,C4"]
    done = subprocess.run(
        [*command, "--ignore", "B905,UP", "--target-version", "py39", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_header_says_how_to_repeat_it_and_has_the_hash_of_the_rest() -> None:
    text = source("2-3-1:sigmoid+bce", "rows")
    header = text.split('"""')[0]
    assert "symderiv derive 2-3-1:sigmoid+bce --layout rows" in header
    assert "This generated file is yours, without conditions." in header
    found = re.search(r"# sha256    ([0-9a-f]{64})\n", text)
    assert found is not None
    plain = text.replace(found[1], "-", 1)
    assert hashlib.sha256(plain.encode()).hexdigest() == found[1]


def test_text_of_the_user_cannot_leave_its_comment() -> None:
    made = graph("2-3-1:sigmoid+bce", "rows")
    wrt = [t for t in made.tensors if t.role is Role.PARAMETER]
    hostile = 'x"""\nimport os\r\x0cos.abort()\u2028\ud800\\'
    text = module_text(
        backprop(made, wrt),
        Presentation(
            spec=hostile, stem=hostile, command=hostile, version=hostile,
            sizes={0: 2, 1: 3, 2: 1}, layout="rows",
        ),
    )  # fmt: skip
    compile(text, "net.py", "exec")
    text.encode()
    assert all(n.startswith("#") for n in text.splitlines() if "abort" in n)
    assert "import os" in text
    assert not re.search(r"^import os", text, re.M)


@pytest.mark.parametrize("spec", ["2-3-1:sigmoid+bce", "n0-n1-n2:tanh,sigmoid+bce+sum"])
def test_run_as_a_script_it_prints_its_figure(spec: str, tmp_path: Path) -> None:
    path = tmp_path / "net.py"
    path.write_text(source(spec, "columns"), encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert re.fullmatch(r"largest relative error .*: \d\.\de-1[4-7]\n", done.stdout)
    assert not done.stderr
    wrong = source(spec, "columns").replace("(W2.T @ delta2)", "(W2.T @ -delta2)")
    path.write_text(wrong, encoding="utf-8")
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 1


def test_the_text_does_not_depend_on_the_hash_seed() -> None:
    script = (
        "from tests.code.generated import NETWORKS, LAYOUTS, source\n"
        "import hashlib\n"
        "text = ''.join(source(s, n) for s in NETWORKS for n in LAYOUTS)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    found = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True,
            text=True, check=True,
        )  # fmt: skip
        found.add(done.stdout)
    assert len(found) == 1


def test_what_is_not_asked_for_is_not_computed() -> None:
    made = graph("2-3-1:sigmoid+bce", "rows")
    derivation = backprop(made, [t for t in made.tensors if t.name == "W2"])
    text = module_text(
        derivation,
        Presentation(spec="s", stem="s", command="c", sizes={0: 2, 1: 3, 2: 1}, layout="rows"),
    )
    assert "input_gradient" not in text
    assert "delta1" not in text


def test_what_has_no_code_is_refused() -> None:
    with pytest.raises(NoCode, match="second derivative of sigmoid"):
        Functions().call("sigmoid", (2,), ["z"])
    with pytest.raises(NoCode, match="leaky-relu by alpha"):
        Functions().call("leaky-relu", (0, 1), ["z", "0.1"])


def test_in_production_a_checked_derivation_is_what_becomes_code() -> None:
    made = graph("2-3-1:sigmoid+bce", "rows")
    wrt = [t for t in made.tensors if t.role in (Role.PARAMETER, Role.INPUT)]
    checked = check(backprop(made, wrt))
    text = numpy_module(
        checked,
        Presentation(spec="2-3-1:sigmoid+bce", sizes={0: 2, 1: 3, 2: 1}, layout="rows"),
    )
    assert "every step of its derivation is proved" in text
    assert cited(text) == PASSES["rows"]
    statements = [numpy_statement(checked, a) for a in checked.derivation.adjoints]
    assert "dW1 = X.T @ delta1 / m" in statements
    assert "delta1 = (delta2 @ W2.T) * sigmoid_prime(z1)" in statements
    assert "da1 = delta2 @ W2.T" in statements
