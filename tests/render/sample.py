"""A document of the size and kind that the templates are made for: the 2-3-1 network.

Every formula in it is true: examples in columns, the loss of one example is binary cross-entropy.
"""

from symderiv.render import Tex

W1, W2 = r"\mathbf{W}^{(1)}", r"\mathbf{W}^{(2)}"
NETWORK = Tex(
    r"""\begin{tikzpicture}[x=1mm,y=1mm]
\foreach \i in {1,2} \node[input neuron] (x\i) at (0,{10.5-14*(\i-1)-3.5}) {$x_\i$};
\foreach \i in {1,2,3} \node[neuron] (h\i) at (34,{14-14*(\i-1)}) {$a^{(1)}_\i$};
\node[output neuron] (y) at (68,0) {$a^{(2)}_1$};
\foreach \i in {1,2} \foreach \j in {1,2,3} \draw[synapse] (x\i) -- (h\j);
\foreach \j in {1,2,3} \draw[synapse] (h\j) -- (y);
\node[operation] (c) at (96,0) {$\ell$};
\draw[flow] (y) -- node[forward value] {$a^{(2)}_1$}
  node[adjoint value] {$\partial\ell/\partial a^{(2)}_1$} (c);
\node[font=\footnotesize,text=why] at (17,-21) {$\mathbf{W}^{(1)},\ \mathbf{b}^{(1)}$};
\node[font=\footnotesize,text=why] at (51,-21) {$\mathbf{W}^{(2)},\ \mathbf{b}^{(2)}$};
\end{tikzpicture}"""
)


def row(lhs: str, rhs: str, why: str = "", tag: str = "", rel: str = "=") -> dict[str, object]:
    return {"lhs": Tex(lhs), "rel": Tex(rel), "rhs": Tex(rhs), "why": Tex(why), "tag": tag}


def equations(*rows: dict[str, object]) -> dict[str, object]:
    return {"kind": "equations", "rows": list(rows)}


def prose(text: str) -> dict[str, object]:
    return {"kind": "prose", "text": Tex(text)}


def document(title: str = "Backpropagation for a 2–3–1 network") -> dict[str, object]:
    return {
        "version": "0.1.0",
        "title": title,
        "subtitle": "sigmoid activations, binary cross-entropy, mean over the examples",
        "result": [
            {
                "lhs": Tex(r"\bm{\delta}^{(2)}"),
                "rel": "=",
                "rhs": Tex(r"\mathbf{a}^{(2)} - \mathbf{y}"),
                "name": "BP1",
            },
            {
                "lhs": Tex(r"\bm{\delta}^{(1)}"),
                "rhs": Tex(
                    r"\bigl(\mathbf{W}^{(2)}\bigr)^{\!\top} \bm{\delta}^{(2)} \odot "
                    r"\mathbf{a}^{(1)} \odot \bigl(\mathbf{1} - \mathbf{a}^{(1)}\bigr)"
                ),
                "name": "BP2",
            },
            {
                "lhs": Tex(r"\frac{\partial C}{\partial \mathbf{b}^{(l)}}"),
                "rhs": Tex(r"\frac{1}{m}\,\bm{\delta}^{(l)}\,\mathbf{1}_m"),
                "name": "BP3",
            },
            {
                "lhs": Tex(r"\frac{\partial C}{\partial \mathbf{W}^{(l)}}"),
                "rhs": Tex(
                    r"\frac{1}{m}\,\bm{\delta}^{(l)} \bigl(\mathbf{a}^{(l-1)}\bigr)^{\!\top}"
                ),
                "name": "BP4",
            },
        ],
        "conventions": [
            Tex(r"Examples are columns: $\mathbf{x}$ is $n_0 \times m$."),
            Tex(r"$\mathbf{W}^{(l)}$ is $n_l \times n_{l-1}$ and feeds layer $l$."),
            Tex(
                r"$\bm{\delta}^{(l)}$ differentiates the loss of one example; "
                r"$1/m$ enters once, in the gradient."
            ),
        ],
        "sections": [
            {
                "title": "Notation",
                "blocks": [
                    {
                        "kind": "table",
                        "header": ["Symbol", "Meaning", "Shape", "Code"],
                        "align": "lllr",
                        "rows": [
                            [
                                Tex(r"$\mathbf{W}^{(l)}$"),
                                "weights of layer l",
                                Tex(r"$n_l \times n_{l-1}$"),
                                Tex(r"\texttt{W1}, \texttt{W2}"),
                            ],
                            [
                                Tex(r"$\mathbf{b}^{(l)}$"),
                                "bias",
                                Tex(r"$n_l \times 1$"),
                                Tex(r"\texttt{b1}, \texttt{b2}"),
                            ],
                            [
                                Tex(r"$\fwd{\mathbf{a}^{(l)}}$"),
                                "activation",
                                Tex(r"$n_l \times m$"),
                                Tex(r"\texttt{a1}, \texttt{a2}"),
                            ],
                            [
                                Tex(r"$\adj{\bm{\delta}^{(l)}}$"),
                                Tex(r"error, $\partial \ell_s/\partial z^{(l)}_{is}$"),
                                Tex(r"$n_l \times m$"),
                                Tex(r"\texttt{delta1}, \texttt{delta2}"),
                            ],
                        ],
                    }
                ],
            },
            {
                "title": "Network",
                "blocks": [
                    prose(
                        r"Two inputs, three hidden neurons and one output. Values flow forward in "
                        r"\fwd{green}; the derivatives of the loss flow back in \adj{red}."
                    ),
                    {"kind": "figure", "tikz": NETWORK, "caption": "The 2–3–1 network."},
                    equations(
                        row(
                            r"z^{(l)}_{is}",
                            r"\sum_{j=1}^{n_{l-1}} w^{(l)}_{ij}\,\fwd{a^{(l-1)}_{js}} + b^{(l)}_i",
                            "definition",
                            "D1",
                        ),
                        row(
                            r"a^{(l)}_{is}",
                            r"\sigma\bigl(z^{(l)}_{is}\bigr) = \frac{1}{1 + e^{-z^{(l)}_{is}}}",
                            "definition",
                            "D2",
                        ),
                        row(
                            r"\ell_s",
                            r"-y_s \log a^{(2)}_{1s} - (1 - y_s) \log\bigl(1 - a^{(2)}_{1s}\bigr)",
                            "definition, the loss of one example",
                            "D3",
                        ),
                        row(r"C", r"\frac{1}{m} \sum_{s=1}^{m} \ell_s", "definition", "D4"),
                    ),
                ],
            },
            {
                "title": Tex(r"The output error $\delta^{(2)}$"),
                "blocks": [
                    prose(r"We differentiate the loss of one example $s$ by the logit."),
                    equations(
                        row(
                            r"\adj{\delta^{(2)}_{1s}} = \frac{\partial \ell_s}"
                            r"{\partial z^{(2)}_{1s}}",
                            r"\frac{\partial \ell_s}{\partial a^{(2)}_{1s}}\,"
                            r"\frac{\partial a^{(2)}_{1s}}{\partial z^{(2)}_{1s}}",
                            "chain rule",
                            "S1",
                        ),
                        row(
                            "",
                            r"\left(-\frac{y_s}{a^{(2)}_{1s}} + \frac{1 - y_s}{1 - a^{(2)}_{1s}}"
                            r"\right) \frac{\partial a^{(2)}_{1s}}{\partial z^{(2)}_{1s}}",
                            r"derivative of (D3): $\frac{d}{da}\log a = \frac1a$",
                            "S2",
                        ),
                        row(
                            "",
                            r"\left(-\frac{y_s}{a^{(2)}_{1s}} + \frac{1 - y_s}{1 - a^{(2)}_{1s}}"
                            r"\right) a^{(2)}_{1s} \bigl(1 - a^{(2)}_{1s}\bigr)",
                            r"the derivative of the sigmoid in terms of its own value, "
                            r"$\sigma' = \sigma(1-\sigma)$, which is lemma \stepref{L1} below",
                            "S3",
                        ),
                        row(
                            "",
                            r"-y_s\bigl(1 - a^{(2)}_{1s}\bigr) + (1 - y_s)\,a^{(2)}_{1s}",
                            "cancel",
                            "S4",
                        ),
                        row("", r"a^{(2)}_{1s} - y_s", "expand and collect", "S5"),
                    ),
                    {
                        "kind": "box",
                        "title": "Why a − y, and where did σ′ go?",
                        "text": Tex(
                            r"The derivative of the loss has $a(1-a)$ in its denominator, and the "
                            r"derivative of the sigmoid is $a(1-a)$. They cancel, so an output "
                            r"that is wrong and saturated still learns. With the squared error "
                            r"the factor stays."
                        ),
                    },
                ],
            },
            {
                "title": "One layer back",
                "blocks": [
                    prose(
                        r"A hidden activation acts on the loss through every neuron of the next "
                        r"layer, so that the paths are summed."
                    ),
                    equations(
                        row(
                            r"\delta^{(1)}_{is}",
                            r"\sum_{k=1}^{n_2} \frac{\partial \ell_s}{\partial z^{(2)}_{ks}}\,"
                            r"\frac{\partial z^{(2)}_{ks}}{\partial a^{(1)}_{is}}\,"
                            r"\frac{\partial a^{(1)}_{is}}{\partial z^{(1)}_{is}}",
                            "chain rule, sum over paths",
                            "S6",
                        ),
                        row(
                            "",
                            r"\sum_{k=1}^{n_2} \adj{\delta^{(2)}_{ks}} \sum_{j=1}^{n_1} "
                            r"w^{(2)}_{kj} [j = i]\, \sigma'\bigl(z^{(1)}_{is}\bigr)",
                            r"definitions, and $\partial a_j/\partial a_i = [j=i]$",
                            "S7",
                        ),
                        row(
                            "",
                            r"\sum_{k=1}^{n_2} w^{(2)}_{ki}\, \adj{\delta^{(2)}_{ks}}\, "
                            r"\sigma'\bigl(z^{(1)}_{is}\bigr)",
                            r"only $j = i$ survives",
                            "S8",
                        ),
                        row(
                            "",
                            r"\sum_{k=1}^{n_2} w^{(2)}_{ki}\, \adj{\delta^{(2)}_{ks}}\, "
                            r"a^{(1)}_{is}\bigl(1 - a^{(1)}_{is}\bigr)",
                            r"lemma \stepref{L1}",
                            "S9",
                        ),
                    ),
                    prose("In matrix form this is"),
                    equations(
                        row(
                            r"\bm{\delta}^{(1)}",
                            r"\underbrace{\bigl(\mathbf{W}^{(2)}\bigr)^{\!\top}"
                            r"}_{n_1 \times n_2} \underbrace{\adj{\bm{\delta}^{(2)}}}_{n_2 \times "
                            r"m} {}\odot{} \fwd{\mathbf{a}^{(1)}} \odot \bigl(\mathbf{1} - "
                            r"\fwd{\mathbf{a}^{(1)}}\bigr)",
                            "",
                            "S10",
                        ),
                    ),
                    prose("Written out for the first hidden neuron and four examples:"),
                    equations(
                        row(
                            r"\frac{\partial C}{\partial w^{(1)}_{11}}",
                            r"\frac14 \Bigl(\delta^{(1)}_{11} x_{11} + \delta^{(1)}_{12} x_{12} + "
                            r"\delta^{(1)}_{13} x_{13} + \delta^{(1)}_{14} x_{14}\Bigr)",
                            r"definition of the product",
                            "S11",
                        ),
                        row(
                            "",
                            r" \allowbreak + ".join(
                                r"\tfrac14 \delta^{(2)}_{1%d} w^{(2)}_{11} a^{(1)}_{1%d} "
                                r"(1 - a^{(1)}_{1%d}) x_{1%d}" % (s, s, s, s)
                                for s in (1, 2, 3, 4)
                            ),
                            r"\stepref{S9} in every term; $n_2 = 1$, so the sum over $k$ has one",
                            "S12",
                        ),
                    ),
                ],
            },
            {
                "title": "Lemma",
                "blocks": [
                    equations(
                        row(
                            r"\sigma'(z)",
                            r"\frac{e^{-z}}{(1 + e^{-z})^2}",
                            "quotient rule",
                            "L0",
                        ),
                        row(
                            "",
                            r"\frac{1}{1 + e^{-z}} \left(1 - \frac{1}{1 + e^{-z}}\right) "
                            r"= \sigma(z)\bigl(1 - \sigma(z)\bigr)",
                            "",
                            "L1",
                        ),
                    ),
                ],
            },
            {
                "title": "What is checked, what is assumed",
                "blocks": [
                    {
                        "kind": "list",
                        "items": [
                            "Each step is proved for all sizes; (D1) to (D4) are definitions.",
                            Tex(r"Assumed: $0 < a^{(2)}_{1s} < 1$ and $m \ge 1$."),
                        ],
                    }
                ],
            },
        ],
    }
