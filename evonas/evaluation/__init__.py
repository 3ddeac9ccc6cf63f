"""How proposals become evaluations."""

from evonas.evaluation.evaluator import Check, EvaluationConfig, Evaluator, Job, Legacy
from evonas.evaluation.inline import Inline
from evonas.evaluation.measure import Constraint, Screening

__all__ = ["Check", "Constraint", "EvaluationConfig", "Evaluator", "Inline", "Job", "Legacy", "Screening"]
