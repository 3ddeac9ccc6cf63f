"""The small tables that scikit-learn bundles, by name."""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from evonas.tasks.prepare import SplitSeed, TestFraction, ValidationFraction, prepare
from evonas.tasks.store import stored
from evonas.tasks.task import CLASSIFICATION, REGRESSION, KindName, Task

FILES = {"breast_cancer": "breast_cancer.csv", "iris": "iris.csv", "wine": "wine_data.csv"}


class Bundled(BaseModel):
    """A small table of measurements and classes.

    `iris`: 150 flowers, 4 features, 3 species (Fisher 1936, https://doi.org/10.24432/C56C76). `wine`: 178 wines, 13
    features, 3 growers (Aeberhard & Forina 1992, https://doi.org/10.24432/C5PC7J). `breast_cancer`: 569 tumours, 30
    features, malignant or benign (Wolberg et al. 1995, https://doi.org/10.24432/C5DW2B).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = CLASSIFICATION
    name: Literal["breast_cancer", "iris", "wine"]
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Split and normalise the table; needs no network."""
        return stored(self, bundled(FILES[self.name]), self._build)

    def _build(self) -> Task:
        from sklearn import datasets

        found = getattr(datasets, f"load_{self.name}")()
        return prepare(self.name, found.data, np.asarray(found.target_names)[found.target], config=self)


class Diabetes(BaseModel):
    """442 patients, 10 features, and how far their diabetes went within a year (Efron et al. 2004): a regression.

    https://doi.org/10.1214/009053604000000067
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ClassVar[KindName] = REGRESSION
    name: Literal["diabetes"] = "diabetes"
    split_seed: SplitSeed = 0
    validation_fraction: ValidationFraction = 0.2
    test_fraction: TestFraction = 0.2

    def load(self) -> Task:
        """Split and normalise the table; needs no network."""
        return stored(self, bundled("diabetes_data_raw.csv.gz", "diabetes_target.csv.gz"), self._build)

    def _build(self) -> Task:
        from sklearn.datasets import load_diabetes

        X, y = load_diabetes(return_X_y=True, scaled=False)
        return prepare(self.name, X, y, config=self, kind=self.kind, targets=("progression",))


def bundled(*names: str) -> dict[str, Path]:
    """Files of scikit-learn's data sets by their names."""
    from sklearn import datasets

    return {name: Path(datasets.__file__).parent / "data" / name for name in names}
