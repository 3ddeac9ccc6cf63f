"""How proposals become evaluations."""

from evonas.evaluation.evaluator import Check, EvaluationConfig, Evaluator, Job, Legacy
from evonas.evaluation.inline import Inline

__all__ = ["Check", "EvaluationConfig", "Evaluator", "Inline", "Job", "Legacy"]
