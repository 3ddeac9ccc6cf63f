"""One search under one budget, on record: the spec, the loop, the store."""

from evonas.campaign.budget import CampaignBudget
from evonas.campaign.campaign import Campaign
from evonas.campaign.front import best_of
from evonas.campaign.hand import Hand
from evonas.campaign.individuals import Individuals
from evonas.campaign.loop import Progress
from evonas.campaign.objectives import Objectives
from evonas.campaign.retraining import retrain
from evonas.campaign.spec import Spec, SpecError
from evonas.campaign.store import DamagedError, Store, StoreError

__all__ = [
    "Campaign",
    "CampaignBudget",
    "DamagedError",
    "Hand",
    "Individuals",
    "Objectives",
    "Progress",
    "Spec",
    "SpecError",
    "Store",
    "StoreError",
    "best_of",
    "retrain",
]
