"""What booths keep back stands on their page, with the reason in the reader's language, and can be asked for again."""

import uuid

from firmware import wire

FOREIGN = "this recording is another booth's"


def told(office, one, count, *reasons):
    """A booth says how it is."""
    status = wire.Status(
        software="26.11.0",
        pending_calls=0,
        pending_recordings=0,
        oldest=None,
        free_bytes=1 << 34,
        kept_back=count,
        reasons=reasons,
    )
    return office.parts.booths.report(one, status)


def test_nothing_kept_back_is_no_word(office, sv):
    office.booth("1")
    assert "送信保留" not in sv.words(sv.get("/booths"))


def test_what_is_kept_back_is_told_with_its_reason_and_asked_for_again(office, sv):
    one, name = office.booth("1"), str(uuid.uuid4())
    known = wire.KeptBack(kind="recording", id=name, reason=FOREIGN, since=office.now - 86400)
    strange = wire.KeptBack(kind="call", id="<b>", reason="nobody <i>knows</i>", since=None)
    assert told(office, one, 23, known, strange).retry == 0.0
    page = sv.get("/booths")
    said = sv.words(page)
    assert "送信保留：23 件 (ほか 21 件)" in said
    assert "要対応" in said
    assert "この録音は別のブースのものです" in said
    assert '<td data-label="理由" lang="en">nobody &lt;i&gt;knows&lt;/i&gt;</td>' in page.text
    assert '<th scope="row">録音</th>' in page.text
    assert name in said
    assert sv.post(f"/booths/{one.id}/retry", on="/booths").headers["location"] == "/booths?done=asked-again"
    assert told(office, one, 23, known).retry == office.now
    assert "再送信の依頼" in sv.words(sv.get("/booths"))
    told(office, one, 0)
    assert "送信保留" not in sv.words(sv.get("/booths"))
    assert sv.post("/booths/none/retry", on="/booths").status_code == 404


def test_what_a_booth_tells_is_bounded(office, sv):
    one = office.booth("1")
    many = [wire.KeptBack(kind="x" * 999, id="y" * 999, reason="z" * 9999) for _ in range(200)]
    told(office, one, 2**60, *many)
    row = office.row("SELECT kept_back, reasons FROM booth")
    assert row.kept_back == 2**31 - 1
    assert len(row.reasons) < 20 * 1300
    assert sv.get("/booths").status_code == 200
