"""What the abstract of the paper [A] and the key findings that circulate with it [K] claim, in our words, as data.

Beside each claim stand the claims of experiments/ that are its analogue, or why there is none. A verdict on an analogue
is about the analogue. Where an analogue is weaker than what the paper says, `caveat` says in what.
"""

from dataclasses import dataclass

ONE_STUDENT = "one student of one size, and no other family of models to be as good as"


@dataclass(frozen=True)
class PaperClaim:
    """`says` in our words, `source` its tag; `analogues` are ids of claims in experiments/.

    `caveat`: in what the analogues differ from what is said, and why there is none where there is none.
    """

    id: str
    says: str
    source: str
    analogues: tuple[str, ...] = ()
    caveat: str = ""


PAPER_CLAIMS = (
    PaperClaim(
        "A1",
        "SFT then RL suffers from a mismatch of distributions, which one stage that learns from both avoids",
        "[A]",
        ("headline-2",),
        "the outcome, not the mismatch itself",
    ),
    PaperClaim(
        "A2",
        "alignment is an optimization under a constraint on the distance to the expert",
        "[A]",
        ("constrained-1", "constrained-2", "constrained-3", "constrained-4"),
        "that the distance ends near the bound, in the variant with a dual variable",
    ),
    PaperClaim(
        "A3",
        "demonstrations in every gradient step ground and regularize exploration",
        "[A]",
        caveat="no claim singles this out; the experiment terms compares arms with and without them",
    ),
    PaperClaim(
        "A4",
        "the adversarial alignment with the expert's distribution improves on mixed batches alone",
        "[A]",
        ("unified-1",),
    ),
    PaperClaim("A5", "+5.77 % over a strong GRPO with Qwen3-0.6B", "[A]", ("headline-1",), "the sign, not the size"),
    PaperClaim("A6", "+3.75 % over a strong GRPO with Qwen3-4B", "[A]", caveat=ONE_STUDENT),
    PaperClaim("A7", "the 0.6B student matches a 32B model", "[A]", ("comparators-1",), ONE_STUDENT),
    PaperClaim(
        "A8",
        "the 4B student outperforms its teacher",
        "[A]",
        ("comparators-2",),
        "of the student of the scale; the miniature's expert follows every instruction: nothing can outperform it",
    ),
    PaperClaim(
        "A9",
        "lengths of responses closely mimic the expert's",
        "[A]",
        ("headline-4", "headline-5", "unified-2"),
        "nearer than a comparator's, not near",
    ),
    PaperClaim(
        "A10",
        "log-probabilities of responses closely mimic those of the expert's",
        "[A]",
        caveat="measured (table distances), without a claim stated before",
    ),
    PaperClaim(
        "K1",
        "state of the art: 12 to 18 % better than existing methods",
        "[K]",
        ("headline-1", "headline-2", "unified-1"),
        "the sign against GRPO, SFT then GRPO and CHORD, not the size; contradicted by [A]'s own figures",
    ),
    PaperClaim(
        "K2",
        "better multi-step reasoning",
        "[K]",
        caveat="no reasoning in the miniature, and no claim; table general has it at paper scale",
    ),
    PaperClaim("K3", "zero-shot transfer to novel tasks", "[K]", ("headline-3",), "types of instruction, not tasks"),
    PaperClaim(
        "K4",
        "needs extensive annotated data",
        "[K]",
        caveat="the experiment demonstrations sweeps their number, without a claim stated before",
    ),
    PaperClaim(
        "K5",
        "degrades commonsense reasoning",
        "[K]",
        caveat="no commonsense in the miniature, and no claim; table general has it at paper scale",
    ),
)
