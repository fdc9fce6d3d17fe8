"""How classes, drivers, volumes and quotas are written: parts of them may not change.

Pure: functions over documents, which they never change.
"""

from dataclasses import replace

from control.resources.strategies import cluster, networking
from control.resources.strategies.strategy import Strategy
from control.resources.validation import classes

STORAGE_CLASS = replace(cluster.RETURNED, update_causes=classes.storage_class_update_causes)
DRIVER = replace(cluster.RETURNED, update_causes=classes.driver_update_causes)
QUOTA = replace(cluster.RETURNED, update_causes=classes.quota_update_causes)
VOLUME = replace(cluster.VOLUME, update_causes=classes.volume_update_causes)
INGRESS_CLASS = replace(networking.INGRESS_CLASS, update_causes=classes.ingress_class_update_causes)
RUNTIME_CLASS = Strategy(update_causes=classes.runtime_class_update_causes)
