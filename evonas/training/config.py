"""How candidates are trained: the `[training]` table of a spec."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

LEARNING_RATES = {"sgd": 0.2, "adamw": 0.01}


class Training(BaseModel):
    """How every candidate of a campaign is trained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    epochs: int = Field(
        8,
        ge=0,
        description="Passes over the training data for a candidate that inherits nothing; 0: candidates are judged "
        "untrained, many at once, by an encoding whose genomes say what the weights are.",
    )
    inherited_epochs: int | None = Field(
        None, ge=1, description="Passes for a candidate that may inherit weights; None: as many as `epochs`."
    )
    inherit: bool = Field(True, description="Leave children the weights of their parents.")
    batch_size: int = Field(
        64,
        ge=2,
        description="Examples a step, an incomplete last batch waits for the next epoch; of a text, streams side by "
        "side.",
    )
    window: int = Field(
        64,
        ge=1,
        description="Of a text, characters of each stream a step, through which gradients flow back; the state is "
        "carried on.",
    )
    optimizer: Literal["sgd", "adamw"] = Field("sgd", description="SGD with Nesterov momentum 0.9, or AdamW; fused.")
    learning_rate: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Peak learning rate; None: 0.2 for sgd, 0.01 for adamw."
    )
    weight_decay: float = Field(5e-4, ge=0, allow_inf_nan=False, description="On weights; never on biases and scales.")
    schedule: Literal["cosine", "one_cycle", "constant"] = Field(
        "one_cycle",
        description="cosine: from the peak to 0. one_cycle: up over the first fifth of the steps, then cosine.",
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, description="Part of the target spread evenly over all classes; not in regression."
    )
    shift: int = Field(0, ge=0, description="Augmentation: moves each image by up to so many pixels, filled with 0.")
    flip: bool = Field(False, description="Augmentation: mirrors half of the images left to right.")
    cutout: int = Field(0, ge=0, description="Augmentation: side in pixels of a square set to 0 in each image.")
    drop_path: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Probability, at the end of training, that a path of a cell is dropped for an example "
        "(ScheduledDropPath; NASNet's keep of 0.6 is 0.4 here). It grows from 0; without cells there are no paths.",
    )
    drop_path_form: Literal["linear", "depth"] = Field(
        "linear",
        description="linear: the same in all cells, as the NASNet paper says. depth: times (cell number + 1) / number "
        "of cells, as its released code does.",
    )
    auxiliary: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="Weight of the loss of an auxiliary head, which reads what lies before the last loss of resolution "
        "and exists in training alone (NASNet and DARTS: 0.4); 0: none.",
    )
    clip: float | None = Field(
        5.0, gt=0, allow_inf_nan=False, description="Cap on the norm of all gradients together; None: no cap."
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="bfloat16: autocast. auto: bfloat16 on a GPU that has it, float32 elsewhere."
    )
    recalibrate: bool = Field(True, description="Measure BatchNorm's statistics anew before scoring.")

    @property
    def peak(self) -> float:
        """The peak learning rate in force."""
        return self.learning_rate or LEARNING_RATES[self.optimizer]

    def epochs_of(self, *, inherits: bool) -> int:
        """Passes over the training data for a candidate that does or does not have donors."""
        return self.inherited_epochs or self.epochs if inherits else self.epochs
