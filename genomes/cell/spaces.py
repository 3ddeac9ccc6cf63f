"""The words of cells, and the search spaces that the field knows: NASNet's, AmoebaNet's and DARTS's."""

from dataclasses import dataclass
from typing import Any

from genomes.operations import Attributes

COMBINES = ("add", "concat")


@dataclass(frozen=True)
class Step:
    """One node of the architecture that a word stands for.

    Attributes:
        operation: A key of `genomes.operations.OPERATIONS`.
        attributes: Its attributes but width, stride and those that all convolutions of a cell share.
    """

    operation: str
    attributes: Attributes


def _step(operation: str, **attributes: Any) -> Step:
    return Step(operation, attributes)


WORDS: dict[str, tuple[Step, ...]] = {
    "identity": (),
    "none": (_step("zero"),),
    "conv_1x1": (_step("conv", kernel=1),),
    "conv_3x3": (_step("conv", kernel=3),),
    "conv_1x3_3x1": (_step("factorised", kernel=3),),
    "conv_1x7_7x1": (_step("factorised", kernel=7),),
    "dil_conv_3x3": (_step("dilated", kernel=3),),
    "avg_pool_3x3": (_step("avg_pool", kernel=3),),
    "max_pool_3x3": (_step("max_pool", kernel=3),),
    "max_pool_5x5": (_step("max_pool", kernel=5),),
    "max_pool_7x7": (_step("max_pool", kernel=7),),
    "sep_conv_3x3": (_step("separable", kernel=3),) * 2,
    "sep_conv_5x5": (_step("separable", kernel=5),) * 2,
    "sep_conv_7x7": (_step("separable", kernel=7),) * 2,
    "dil_sep_conv_3x3": (_step("dilated_separable", kernel=3),),
    "dil_sep_conv_5x5": (_step("dilated_separable", kernel=5),),
    "attention": (_step("attention"),),
}
"""What each word of a block does, one step after the other: a separable convolution is applied twice. DARTS calls its
dilated separable convolutions `dil_conv`; `none` passes zeros on; `attention` is ours and in no published space."""


@dataclass(frozen=True)
class Space:
    """A published search space of cells.

    Attributes:
        operations: Its words.
        n_blocks: Blocks a cell has.
        combines: How a block's two results are combined.
        output: What a cell's output concatenates: `unused`, the blocks that no block reads, or `all` blocks.
        source: Where it is defined.
    """

    operations: tuple[str, ...]
    n_blocks: int
    combines: tuple[str, ...]
    output: str
    source: str


SPACES = {
    "nasnet": Space(
        (
            "identity", "conv_1x3_3x1", "conv_1x7_7x1", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
            "max_pool_7x7", "conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
        ),
        5,
        ("add", "concat"),
        "unused",
        "Zoph, Vasudevan, Shlens & Le 2018, https://arxiv.org/abs/1707.07012",
    ),
    "amoebanet": Space(
        (
            "identity", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3",
            "dil_sep_conv_3x3", "conv_1x7_7x1",
        ),
        5,
        ("add",),
        "unused",
        "Real, Aggarwal, Huang & Le 2019, https://arxiv.org/abs/1802.01548",
    ),
    "darts": Space(
        (
            "none", "max_pool_3x3", "avg_pool_3x3", "identity", "sep_conv_3x3", "sep_conv_5x5", "dil_sep_conv_3x3",
            "dil_sep_conv_5x5",
        ),
        4,
        ("add",),
        "all",
        "Liu, Simonyan & Yang 2019, https://arxiv.org/abs/1806.09055",
    ),
}  # fmt: skip
"""The published spaces by name."""
