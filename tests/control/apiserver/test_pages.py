"""Pages come from one state."""

import pytest

from cluster.errors import ApiError
from control.apiserver.pages import SNAPSHOT_SECONDS, SNAPSHOTS_MAX, Pages, Place
from control.store.record import ObjectKey, Record

MAPS = ("", "configmaps", "shop", "")


def records(count: int) -> list[Record]:
    return [Record(ObjectKey("", f"n{each}"), each, {}, b"{}") for each in range(count)]


def test_pages_add_up_to_the_list() -> None:
    pages, listed = Pages(), records(7)
    page = pages.first(MAPS, listed, 42, 3, now=0.0)
    got, versions, left = list(page.records), {page.version}, [page.remaining]
    while page.token:
        page = pages.next(MAPS, page.token, 3, now=1.0)
        got += page.records
        versions.add(page.version)
        left.append(page.remaining)
    assert got == listed and versions == {42} and left == [4, 1, 0]


def test_a_short_list_is_one_page() -> None:
    page = Pages().first(MAPS, records(3), 42, 3, now=0.0)
    assert len(page.records) == 3 and page.token == ""


def test_a_token_expires_with_time_and_with_too_many_others() -> None:
    pages = Pages()
    old = pages.first(MAPS, records(3), 1, 1, now=0.0).token
    with pytest.raises(ApiError, match="too old to display") as caught:
        pages.next(MAPS, old, 1, now=SNAPSHOT_SECONDS + 1)
    assert (caught.value.code, caught.value.reason) == (410, "Expired")
    first = pages.first(MAPS, records(3), 1, 1, now=1000.0).token
    for _ in range(SNAPSHOTS_MAX):
        pages.first(MAPS, records(3), 1, 1, now=1000.0)
    with pytest.raises(ApiError):
        pages.next(MAPS, first, 1, now=1000.0)


@pytest.mark.parametrize("token", ["nonsense", "e30=", "WzEsMiwzXQ==", "%%"])
def test_a_token_that_is_none_is_400(token: str) -> None:
    with pytest.raises(ApiError, match="continue key is not valid") as caught:
        Pages().next(MAPS, token, 1, now=0.0)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "place",
    [
        ("", "secrets", "shop", ""),
        ("", "configmaps", "default", ""),
        ("", "configmaps", None, ""),
        ("", "configmaps", "shop", "metadata.name=n1"),
    ],
)
def test_a_token_continues_only_its_own_list(place: Place) -> None:
    pages = Pages()
    token = pages.first(MAPS, records(3), 1, 1, now=0.0).token
    with pytest.raises(ApiError, match="of another list") as caught:
        pages.next(place, token, 1, now=0.0)
    assert caught.value.code == 400
