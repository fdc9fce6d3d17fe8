"""Kinds about the API itself: what would decide about requests, and is refused where nothing does.

Pure: data.
"""

from control.resources.strategies.strategy import Strategy
from control.resources.validation import unserved
from control.resources.validation.names import path_segment_faults

WEBHOOKS = Strategy(generation=True, causes=unserved.webhook_causes)
POLICY = Strategy(generation=True, causes=unserved.policy_causes)
API_SERVICE = Strategy(name_faults=path_segment_faults, causes=unserved.api_service_causes)
