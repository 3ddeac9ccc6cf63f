"""How proposals become evaluations."""

from evonas.evaluation.evaluator import Check, EvaluationConfig, Evaluator, Job, Legacy
from evonas.evaluation.inline import Inline
from evonas.evaluation.measure import Constraint, Screening
from evonas.evaluation.population import Population

__all__ = ["Check", "Constraint", "EvaluationConfig", "Evaluator", "Inline", "Job", "Legacy", "Population", "Screening"]
