"""What a request asks for besides its object: selectors, pages, dry runs, deletions.

Pure: query parameters and bodies in, values or refusals out.
"""

import json
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from cluster.client.interface import Document
from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.objects.resources import Resource
from cluster.objects.selectors import LabelSelector, parse_label_selector
from control.apiserver import statuses
from control.apiserver.identity import ADMIN, User
from control.resources.causes import INVALID, NOT_SUPPORTED, Cause

OWN_CLIENT = "kubehop"  # what the cluster's own parts call themselves: they manage nothing
DELETE_OPTIONS = "DeleteOptions"
PROPAGATIONS = ("Background", "Foreground", "Orphan")
WHOLE_MAX = 2**31 - 1  # seconds and counts, which are 32 or 64 bits wide upstream


_VALIDATIONS = '"Ignore", "Strict", "Warn"'


class FieldValidation(StrEnum):
    """What happens to fields that the kind does not have; they are never stored."""

    IGNORE = "Ignore"
    WARN = "Warn"
    STRICT = "Strict"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """How to write."""

    dry_run: bool = False
    field_validation: FieldValidation = FieldValidation.WARN
    field_manager: str = ""  # "" is nobody: the cluster's own parts
    manager_given: bool = False  # by the client, not made of its name
    force: bool = False
    user: User = ADMIN
    endpoint: str = ""  # the subresource that a write of the object itself came by
    applied: Document | None = None  # the configuration, where the write is an apply
    duplicates: tuple[str, ...] = ()  # paths that the body has more than once

    @classmethod
    def of(
        cls, query: Mapping[str, str], user_agent: str = "", kind: str = "CreateOptions"
    ) -> "WriteOptions":
        """From a query; the field manager is the client's name when it gives none."""
        validation = query.get("fieldValidation") or FieldValidation.WARN
        if validation not in [*FieldValidation]:
            words = f"Unsupported value: {json.dumps(validation)}: supported values: {_VALIDATIONS}"
            raise _odd(kind, "fieldValidation", NOT_SUPPORTED, words)
        given, client = query.get("fieldManager", ""), user_agent.partition("/")[0]
        return cls(
            dry_run=_dry_run(query.get("dryRun"), kind),
            field_validation=FieldValidation(validation),
            field_manager=given or ("" if client == OWN_CLIENT else client),
            manager_given=bool(given),
            force=query.get("force", "false").lower() not in ("", "0", "false"),
        )

    def odd_fields(self, unknown: Collection[str]) -> list[str]:
        """What is wrong with the fields of the body, given those that its kind does not have."""
        told = [f'unknown field "{path}"' for path in unknown]
        twice = (path for path in self.duplicates if path not in unknown)
        return told + [f'duplicate field "{path}"' for path in twice]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """How to delete."""

    grace_seconds: int | None = None
    propagation: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str], body: Document | None) -> "DeleteOptions":
        """From the query and the body's DeleteOptions; the body wins."""
        given = body or {}
        preconditions = given.get("preconditions") or {}
        if not isinstance(preconditions, dict):
            raise statuses.bad_request("preconditions is not an object")
        grace = given.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
        dry_run = given.get("dryRun") or query.get("dryRun")
        propagation = given.get("propagationPolicy") or query.get("propagationPolicy")
        return cls(
            grace_seconds=_whole(grace, "gracePeriodSeconds"),
            propagation=_propagation(propagation, given.get("orphanDependents")),
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            dry_run=_dry_run(dry_run, DELETE_OPTIONS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """What to list or watch."""

    labels: LabelSelector | None = None
    fields: str = ""
    limit: int = 0
    continue_token: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "ListOptions":
        """From a query."""
        return cls(
            labels=labels_of(query.get("labelSelector", "")),
            fields=query.get("fieldSelector", ""),
            limit=max(_whole(query.get("limit") or 0, "limit") or 0, 0),
            continue_token=query.get("continue", ""),
        )


def labels_of(text: str) -> LabelSelector | None:
    """A label selector, None for one that takes everything."""
    if not text:
        return None
    try:
        return parse_label_selector(text)
    except ValueError as error:
        raise statuses.bad_request(
            f"unable to parse the label selector {text!r}: {error}"
        ) from error


def _propagation(policy: Any, orphan: Any) -> str | None:
    """The policy; before there were policies one said whether dependents are to be orphans."""
    if policy not in (None, *PROPAGATIONS):
        known = ", ".join(f'"{each}"' for each in (*PROPAGATIONS, "nil"))
        words = f"Unsupported value: {json.dumps(policy)}: supported values: {known}"
        raise _odd(DELETE_OPTIONS, "propagationPolicy", NOT_SUPPORTED, words)
    if not isinstance(orphan, bool):
        return policy if isinstance(policy, str) else None
    if policy is not None:
        shown = f'"{policy}": orphanDependents and deletionPropagation cannot be both set'
        raise _odd(DELETE_OPTIONS, "propagationPolicy", INVALID, f"Invalid value: {shown}")
    return "Orphan" if orphan else "Background"


def _odd(kind: str, field: str, reason: str, message: str) -> ApiError:
    resource = Resource("meta.k8s.io", "v1", "", kind)
    return statuses.invalid(resource, "", [Cause(reason, message, field)])


def _dry_run(value: Any, kind: str) -> bool:
    given = value if isinstance(value, list) else [value or ""]
    if not all(isinstance(each, str) for each in given):
        raise statuses.bad_request(f"dryRun is not a list of text: {value!r}")
    if any(each not in ("", "All") for each in given):
        words = f'Unsupported value: {json.dumps(given)}: supported values: "All"'
        raise _odd(kind, "dryRun", NOT_SUPPORTED, words)
    return "All" in given


def _whole(value: Any, name: str) -> int | None:
    if value is None:
        return None
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise statuses.bad_request(f"invalid {name}: {value!r} is not a whole number") from None
    return max(min(number, WHOLE_MAX), -WHOLE_MAX)
