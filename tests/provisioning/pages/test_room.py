"""The page of the booths says how much room there is for recordings, and who has used up theirs."""

import pytest

from provisioning.server.operations import quotas
from provisioning.server.operations.quotas import GIGABYTE, Limits


def bound(office, **limits):
    with office.parts.database.write() as connection:
        quotas.put(office.parts.database, connection, Limits(**limits))


@pytest.mark.parametrize(
    ("language", "room", "warning"),
    [
        ("ja", "録音：2000 GB 中 0.5 GB", "24時間の上限 0.5 GB のうち 0.5 GB を送信済み"),
        ("en", "Recordings: 0.5 of 2000 GB", "Sent 0.5 of 0.5 GB in 24 hours"),
    ],
)
def test_room_is_told_in_both_languages(  # noqa: PLR0917  (fixtures)
    office, sv, new_id, language, room, warning
):
    sv.post("/account/language", {"language": language})
    greedy, modest = office.booth("Booth 1"), office.booth("Booth 2")
    office.recording(greedy, new_id(), bytes=GIGABYTE // 2)
    office.recording(modest, new_id(), bytes=1000)
    page = sv.get("/booths").text
    assert room in page
    assert warning not in page
    bound(office, booth_day=GIGABYTE // 2)
    page = sv.get("/booths").text
    assert page.count(warning) == 2  # on its card and in its row; the other booth has room
    bound(office, archive=GIGABYTE // 2)
    assert '<span class="bad">' in sv.get("/booths").text
