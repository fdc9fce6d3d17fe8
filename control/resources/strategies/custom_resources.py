"""CustomResourceDefinitions: completed names, validated schemas.

Pure: documents in, documents out. What knows schemas is imported when there is a first definition.
Source: k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition.
"""

from collections.abc import Iterable

from control.resources.causes import Cause
from control.resources.strategies.strategy import Document, Strategy


def _completed(definition: Document) -> Document:
    from control.resources.custom.definition import completed

    return completed(definition)


def _causes(definition: Document) -> Iterable[Cause]:
    from control.resources.custom.definition import definition_causes

    return definition_causes(definition)


def _update_causes(new: Document, old: Document) -> Iterable[Cause]:
    from control.resources.custom.definition import definition_update_causes

    return definition_update_causes(new, old)


DEFINITION = Strategy(
    generation=True,
    defaults=_completed,
    causes=_causes,
    update_causes=_update_causes,
)
