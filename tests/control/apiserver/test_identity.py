"""Who asks."""

import pytest

from cluster.errors import ApiError
from control.apiserver.identity import ADMIN, ANONYMOUS, AUTHENTICATED, User, identify

ALICE = User("alice", ("dev",))
TOKENS = {"secret": ALICE}


def who(**shown: object) -> User | None:
    given = {"local": False, "certificate": None, "authorization": "", "tokens": TOKENS, **shown}
    return identify(**given)  # type: ignore[arg-type]


def test_whoever_reaches_the_socket_owns_the_machine() -> None:
    assert who(local=True, authorization="Bearer nonsense") == ADMIN


def test_a_certificate_says_name_and_groups() -> None:
    subject = ((("organizationName", "system:masters"),), (("commonName", "admin"),))
    user = who(certificate={"subject": subject})
    assert user == User("admin", ("system:masters", AUTHENTICATED))


def test_a_token_is_a_user() -> None:
    assert who(authorization="Bearer secret") == ALICE
    assert who(authorization="bearer  secret") == ALICE


WRONG = ["Bearer wrong", "Basic secret", "secret", "Bearer", "Bearer ", "Bearer é", "Bearer \udce9"]


@pytest.mark.parametrize("header", WRONG)
def test_a_wrong_token_is_refused(header: str) -> None:
    with pytest.raises(ApiError) as caught:
        who(authorization=header)
    assert caught.value.code == 401


def test_who_shows_nothing_is_anonymous() -> None:
    assert who() == ANONYMOUS


def test_an_accounts_token_is_its_account() -> None:
    robot = User("system:serviceaccount:shop:robot")
    known = {"a.b.c": robot}.get
    assert who(authorization="Bearer a.b.c", account_of=known) == robot
    with pytest.raises(ApiError):
        who(authorization="Bearer x.y.z", account_of=known)


def test_a_user_is_shown_as_reviews_show_one() -> None:
    user = User("jane", ("dev",), "7", {"scopes": ("a",)})
    assert user.document() == {
        "username": "jane",
        "uid": "7",
        "groups": ["dev"],
        "extra": {"scopes": ["a"]},
    }
    assert User("joe").document() == {"username": "joe"}
