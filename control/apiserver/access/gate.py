"""Every request passes here: who asks, as whom, and may it be.

Source: kubernetes.io, "Controlling Access to the Kubernetes API".
"""

from collections.abc import Mapping, Sequence

from aiohttp import web

from cluster.client.interface import Document
from cluster.errors import ApiError
from control.apiserver import statuses
from control.apiserver.access import reviews
from control.apiserver.access.attributes import Attributes, attributes_of, creation_of, denial
from control.apiserver.access.escalation import check_escalation
from control.apiserver.access.impersonation import GROUP, impersonated, rights_for
from control.apiserver.access.role_book import RoleBook
from control.apiserver.access.service_accounts import ServiceAccounts
from control.apiserver.access.signing import check_approval
from control.apiserver.access.tokens import InvalidToken
from control.apiserver.identity import User, identify
from control.apiserver.paths import ResourcePath
from control.resources.kinds import Kind


class Gate:
    """Knows users, and what they may do."""

    def __init__(
        self, roles: RoleBook, accounts: ServiceAccounts, tokens: Mapping[str, User]
    ) -> None:
        self.accounts = accounts
        self._roles = roles
        self._tokens = dict(tokens)

    def user_of(self, request: web.BaseRequest) -> User:
        """Who asks; ApiError 401 for a token that nobody knows."""
        transport = request.transport
        if transport is None:  # nothing says any more what kind of connection it was
            raise ConnectionResetError("the client left before it was known")
        local = transport.get_extra_info("ssl_object") is None
        return identify(
            local=local,
            certificate=None if local else transport.get_extra_info("peercert"),
            authorization=request.headers.get("Authorization", ""),
            tokens=self._tokens,
            account_of=self._account_of,
        )

    def acting_as(self, user: User, request: web.BaseRequest) -> User:
        """Whom the user asks as: with impersonation another one; ApiError 403."""
        groups = request.headers.getall(GROUP, [])
        other = impersonated(request.headers, groups)
        if other is None:
            return user
        self.check_becomes(user, other, groups)
        return other

    def check_becomes(self, user: User, other: User, groups: Sequence[str]) -> None:
        """ApiError 403 where the user may not act as another one, in these groups."""
        for right in rights_for(other, groups):
            self._check(user, right)

    def check(self, user: User, request: web.BaseRequest, path: ResourcePath | None) -> None:
        """ApiError 403 where the user may not do what the request wants."""
        self._check(user, attributes_of(request.method, request.path, path, request.query))

    def check_written(self, user: User, kind: Kind, new: Document, old: Document | None) -> None:
        """ApiError 403 for what the request does not show.

        A patch that applies may create, which is a right of its own; a role may give more than the
        one who writes it has.
        """
        if old is None:
            self._check(user, creation_of(kind.resource, new))
        check_escalation(self._roles, user, kind, new, old)
        check_approval(self._roles, user, kind, new, old)

    def review(self, kind: Kind, path: ResourcePath, document: Document, user: User) -> Document:
        """The answer to a review."""
        allows, name = self._roles.allows, kind.resource.kind
        match name:
            case "SelfSubjectAccessReview":
                return reviews.self_access(document, user, allows)
            case "SubjectAccessReview":
                return reviews.access(document, allows)
            case "LocalSubjectAccessReview":
                return reviews.access(document, allows, path.namespace or "")
            case "SelfSubjectRulesReview":
                return reviews.self_rules(document, user, self._roles.rules_of)
            case "SelfSubjectReview":
                return reviews.self_subject(document, user)
        return reviews.token(document, self.accounts.shown)

    def _account_of(self, token: str) -> User | None:
        try:
            return self.accounts.user_of(token)
        except InvalidToken:
            return None

    def _check(self, user: User, wanted: Attributes) -> None:
        if not self._roles.allows(user, wanted):
            raise forbidden(user, wanted)


def forbidden(user: User, wanted: Attributes) -> ApiError:
    """As kubectl shows it."""
    why = denial(user, wanted)
    if wanted.path:
        return statuses.refusal(403, "Forbidden", f"forbidden: {why}", {})
    qualified = f"{wanted.bare_resource}.{wanted.group}" if wanted.group else wanted.bare_resource
    name = f' "{wanted.name}"' if wanted.name else ""
    details = {"name": wanted.name, "group": wanted.group, "kind": wanted.bare_resource}
    known = {key: value for key, value in details.items() if value}
    return statuses.refusal(403, "Forbidden", f"{qualified}{name} is forbidden: {why}", known)
