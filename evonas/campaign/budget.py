"""When a campaign ends: the `[budget]` table."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from evonas.evaluation.measure import Constraint


class CampaignBudget(BaseModel):
    """When a campaign ends: the `[budget]` table. Whichever comes first; without the table 200 evaluations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluations: int | None = Field(None, ge=1, description="Candidates evaluated, failures included.")
    epochs: int | None = Field(
        None,
        ge=1,
        description="Passes over the training data of all candidates together; none for one that fails before it is "
        "trained. After 1,000 such in a row the campaign ends.",
    )
    seconds: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Time of all runs of the campaign together; marks it as timed."
    )
    until: str | None = Field(
        None,
        description='Ends a campaign early, once a candidate has what is asked, such as "solved >= 1" or '
        '"accuracy >= 0.98": <= or >=.',
    )

    @field_validator("until")
    @classmethod
    def _comparable(cls, until: str | None) -> str | None:
        if until is not None:
            Constraint.parse(until, signed=True)
        return until

    @property
    def goal(self) -> Constraint | None:
        """What a candidate must have to end the campaign."""
        return None if self.until is None else Constraint.parse(self.until, signed=True)

    def reached(self, metrics: Mapping[str, float]) -> bool:
        """True if the metrics of a candidate are those that end the campaign."""
        goal = self.goal
        return goal is not None and goal.metric in metrics and goal.holds(metrics[goal.metric])

    @model_validator(mode="after")
    def _some(self) -> "CampaignBudget":
        if self.evaluations is None and self.epochs is None and self.seconds is None:
            raise ValueError("expected evaluations, epochs or seconds, got none of them; give one")
        return self
