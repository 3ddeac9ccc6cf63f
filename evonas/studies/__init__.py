"""Many campaigns under one budget, compared."""

from evonas.studies.report import report
from evonas.studies.results import Row, bands, collect
from evonas.studies.running import Step, run
from evonas.studies.study import Arm, Study
from evonas.studies.work import Retrained, StudyError, retrained

__all__ = ["Arm", "Retrained", "Row", "Step", "Study", "StudyError", "bands", "collect", "report", "retrained", "run"]
