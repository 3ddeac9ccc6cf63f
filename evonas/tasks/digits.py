"""Handwritten digits as scikit-learn bundles them: small enough for tests and first steps."""

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from evonas.tasks.bundled import bundled
from evonas.tasks.prepare import SplitSeed, TestFraction, ValidationFraction, prepare
from evonas.tasks.store import stored
from evonas.tasks.task import CLASSIFICATION, KindName, Task


class Digits(BaseModel):
    """1,797 grey images `(1, 8, 8)` of ten digits (Alpaydin & Kaynak 1998, https://doi.org/10.24432/C50P49)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = CLASSIFICATION
    name: Literal["digits"] = "digits"
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Split and normalise the images; needs no network."""
        return stored(self, bundled("digits.csv.gz"), self._build)

    def _build(self) -> Task:
        from sklearn.datasets import load_digits

        images, labels = load_digits(return_X_y=True)
        return prepare(self.name, images.reshape(-1, 1, 8, 8), labels, config=self, layout="channels_first")
