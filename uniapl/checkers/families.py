"""The families of instruction types, in one tuple: whose rules they are, and at which revision of their code.

Everything that lists families or types derives from `FAMILIES`: ids that a data file may use, `--family`, `--list`,
the robustness benchmark, and `python -m benchmarks.upstream`, which says what changed since the revision. A new family
is a module with `INSTRUCTIONS` (and `FIXED`, if any) and one entry here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from uniapl.checkers import ifbench, ifeval, iftrain, iftrain_fixed, multi_if
from uniapl.checkers.arguments import Instruction
from uniapl.errors import UserError


@dataclass(frozen=True)
class Family:
    """Instruction types of one publication, with the rules of one revision of its code.

    name          what --family takes
    instructions  id: type with the published rule
    fixed         `<id>~fixed`: type with the rule that the prompt states; of nobody's published numbers
    source        the publication
    revision      repository@commit that the published rules follow; blank where nobody published code
    rules_for     the family whose ids these are with rules of their own; such a family is only used where it is named
    """

    name: str
    instructions: Mapping[str, Instruction]
    fixed: Mapping[str, Instruction]
    source: str
    revision: str = ""
    rules_for: str = ""

    @property
    def types(self) -> dict[str, Instruction]:
        """All of the family's types by id, the fixed ones last."""
        return {**self.instructions, **self.fixed}


FAMILIES = (
    Family(
        name="ifeval",
        instructions=ifeval.INSTRUCTIONS,
        fixed={},
        source="Zhou et al. 2023 (arXiv 2311.07911)",
        # the last change before release 0.4.13, which has these files
        revision="EleutherAI/lm-evaluation-harness@fe13f316285edad122818e39aa059152132267fd",
    ),
    Family(
        name="ifbench",
        instructions=ifbench.INSTRUCTIONS,
        fixed=ifbench.FIXED,
        source="Pyatkin et al. 2025 (arXiv 2507.02833)",
        revision="allenai/IFBench@db69a6f05689830b0068b8f1529ebcfd2f3b164c",
    ),
    Family(
        name="iftrain",
        instructions=iftrain.INSTRUCTIONS,
        fixed=iftrain_fixed.FIXED,
        source="Pyatkin et al. 2025 (arXiv 2507.02833)",
        revision="allenai/open-instruct@ebca9f7d4921042d7d8a65369e513d6566f0f3ba",
    ),
    Family(
        name="multi_if",
        instructions=multi_if.INSTRUCTIONS,
        fixed=multi_if.FIXED,
        source="He et al. 2024 (arXiv 2410.15553)",
        revision="facebookresearch/Multi-IF@1cdb53ed18499ad729e0766e5d3099dd5344406f",
        rules_for="ifeval",
    ),
)


def by_name(families: Iterable[Family]) -> dict[str, Family]:
    """The families by name. Raises UserError where two share one."""
    named: dict[str, Family] = {}
    for family in families:
        if family.name in named:
            raise UserError(f"uniapl/checkers/families.py: two families are called {family.name}: rename one")
        named[family.name] = family
    return named


def types_of(families: Iterable[Family]) -> dict[str, Instruction]:
    """Every type that is used without naming its family, by id. Raises UserError where two families have one id."""
    owners: dict[str, str] = {}
    types: dict[str, Instruction] = {}
    for family in families:
        if family.rules_for:
            continue
        for instruction_id, instruction in family.types.items():
            if instruction_id in owners:
                raise UserError(
                    f"uniapl/checkers/families.py: {instruction_id} is in the families {owners[instruction_id]} and "
                    f"{family.name}: rename it in one of them, or let {family.name} state rules_for"
                )
            owners[instruction_id], types[instruction_id] = family.name, instruction
    return types


BY_NAME = by_name(FAMILIES)
INSTRUCTIONS = types_of(FAMILIES)


def types_in(family: str | None = None) -> Mapping[str, Instruction]:
    """The types by id that a data file may use, of a family where one is named."""
    return BY_NAME[family].types if family else INSTRUCTIONS


def owners(instruction_id: object) -> list[str]:
    """The names of the families that have this id; one that states `rules_for` only where no other has it."""
    having = [family for family in FAMILIES if instruction_id in family.types]
    return [family.name for family in having if not family.rules_for] or [family.name for family in having]
