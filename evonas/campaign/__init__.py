"""One search under one budget, on record: the spec, the loop, the store."""

from evonas.campaign.campaign import Campaign, best_of
from evonas.campaign.loop import Progress
from evonas.campaign.objectives import Objectives
from evonas.campaign.retraining import retrain
from evonas.campaign.spec import CampaignBudget, Spec, SpecError
from evonas.campaign.store import DamagedError, Store, StoreError

__all__ = [
    "Campaign",
    "CampaignBudget",
    "DamagedError",
    "Objectives",
    "Progress",
    "Spec",
    "SpecError",
    "Store",
    "StoreError",
    "best_of",
    "retrain",
]
