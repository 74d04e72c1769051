"""Who calls, from lines in every spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.callerid import NOBODY, Caller, caller
from hw.events import Hidden

NUMBER = "09012345601"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"NMBR = {NUMBER}", Caller(NUMBER)),
        (f"NMBR={NUMBER}", Caller(NUMBER)),
        (f"NMBR: {NUMBER}", Caller(NUMBER)),
        ("NMBR = 090-1234-5601", Caller(NUMBER)),
        (f"CALLER NUMBER: {NUMBER}", Caller(NUMBER)),
        (f"DDN_NMBR= {NUMBER}", Caller(NUMBER)),
        ("NMBR = P", Caller(hidden=Hidden.WITHHELD)),
        ("NMBR=O", Caller(hidden=Hidden.UNAVAILABLE)),
        ("NMBR = S", Caller(hidden=Hidden.UNAVAILABLE)),
        ("NMBR = C", Caller(hidden=Hidden.PAYPHONE)),
        ("NMBR = PRIVATE", Caller(hidden=Hidden.WITHHELD)),
        ("NMBR = OUT OF AREA", Caller(hidden=Hidden.UNAVAILABLE)),
        ("NMBR =", NOBODY),
        ("NMBR = ?", NOBODY),
        ("NMBR", NOBODY),
        ("DATE = 0801", NOBODY),
        ("NAME = P", NOBODY),
        ("RING", NOBODY),
    ],
)
def test_lines(line, told):
    assert caller(line) == told


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x04\x13" + b"08011801" + NUMBER.encode(), Caller(NUMBER)),
        (b"\x04\x09" + b"08011801" + b"P", Caller(hidden=Hidden.WITHHELD)),
        (b"\x80\x17\x01\x0808011801\x02\x0b" + NUMBER.encode(), Caller(NUMBER)),
        (b"\x80\x0d\x01\x0808011801\x04\x01C", Caller(hidden=Hidden.PAYPHONE)),
        (b"\x04\x01O", Caller(hidden=Hidden.UNAVAILABLE)),
        (b"\x80", NOBODY),
        (b"\x02\x0b0901", NOBODY),  # cut
        (b"", NOBODY),
    ],
)
def test_raw_messages(data, told):
    assert caller(f"MESG = {data.hex().upper()}") == told


@given(st.text() | st.binary().map(lambda data: f"MESG={data.hex()}") | st.text().map("NMBR = {}".format))
def test_whatever_a_modem_says_it_only_ever_tells_less(line):
    told = caller(line)
    assert told.number is None or told.hidden is None
