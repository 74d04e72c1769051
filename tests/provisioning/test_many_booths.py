"""Many booths on one overlapping list: nobody is called twice, and everybody is answered."""

import pytest

from tests import crowd

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("booths", "customers", "rate", "seconds"),
    [
        (40, 120, 50.0, 4.0),
        pytest.param(1000, 3000, 1000 / 60, 180.0, marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
def test_no_number_is_dialled_twice(tmp_path, booths, customers, rate, seconds):
    floor = crowd.Crowd(tmp_path, booths, customers)
    try:
        floor.connect()
        load = floor.work(rate, seconds)
        print(
            f"{booths} booths, {len(floor.claims)} claims: p50 {1000 * crowd.share(floor.claims, 0.5):.1f} ms, "
            f"p99 {1000 * crowd.share(floor.claims, 0.99):.1f} ms; {floor.judge.count} dials; "
            f"server {100 * load:.0f} % of a processor, {floor.memory()[0]:.0f} MB; {dict(floor.came)}"
        )
        assert floor.judge.twice(crowd.BOOK.rules.min_gap_unanswered) == []
        assert {"dialled", "held", "CALLED_RECENTLY"} <= set(floor.came)
    finally:
        floor.close()


def test_the_judge_sees_a_number_that_rings_twice():
    judge = crowd.Judge()
    for number, booth in (("1", "A"), ("2", "A"), ("1", "B")):
        judge.rings(number, booth)
    assert judge.twice(60) == [("1", "A", "B")]
    assert judge.twice(0) == []
