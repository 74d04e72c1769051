"""The AT dialogue and the readers: every cut, every near miss, and whatever else a modem may say."""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hw import callrows, readings
from hw.at import LONGEST_LINE, MARKER, Dialogue, Notice, Reply, answers
from hw.callrows import CallRow, CallState
from hw.errors import MisuseError, UnexpectedReply
from hw.events import Hidden
from hw.readings import Caller

SAMPLE, FULL = 300, 20_000


def fuzz(check, what, examples):
    """Run `check` on so many things that a modem may say, the same ones every time."""
    slow = [HealthCheck.too_slow]
    size = settings(max_examples=examples, derandomize=True, deadline=None, suppress_health_check=slow, database=None)
    size(given(*what)(check))()


DIAL = "ATD0312345601;"
TRANSCRIPT = (
    b"ATD0312345601;\r\r\n"
    b'+QIND: "ccinfo",1,0,2,0,0,"0312345601",129\r\n'  # before the OK of the dial that caused it
    b"\r\nOK\r\n"
    b'\r\r\n+QIND: "csq",24,99\r\r\n'
    b"\r\n+QPCMV: 0,0\r\n+QPCMV: 1,0\r\n"
    b"\r\nNO CARRIER\r\n"
)
SAID = [
    Notice('+QIND: "ccinfo",1,0,2,0,0,"0312345601",129'),
    Reply(DIAL, "OK"),
    Notice('+QIND: "csq",24,99'),
    Notice("+QPCMV: 0,0"),
    Notice("+QPCMV: 1,0"),
    Notice("NO CARRIER"),
]


def hear(command, *chunks):
    talk = Dialogue()
    if command:
        talk.ask(command)
    return [said for chunk in chunks for said in talk.hear(chunk)]


def test_every_cut_hears_the_same():
    assert hear(DIAL, TRANSCRIPT) == SAID
    assert hear(DIAL, *(bytes([byte]) for byte in TRANSCRIPT)) == SAID
    for cut in range(len(TRANSCRIPT)):
        assert hear(DIAL, TRANSCRIPT[:cut], TRANSCRIPT[cut:]) == SAID


def test_every_two_cuts_hear_the_same():
    for first in range(0, len(TRANSCRIPT), 7):
        for second in range(first, len(TRANSCRIPT), 5):
            chunks = TRANSCRIPT[:first], TRANSCRIPT[first:second], TRANSCRIPT[second:]
            assert hear(DIAL, *chunks) == SAID


def test_junk_behind_a_transcript_waits_for_its_end():
    assert hear(DIAL, TRANSCRIPT + b"\r\n+CLI") == SAID
    assert hear(DIAL, TRANSCRIPT + b"\xff\xfe\x00") == SAID


@pytest.mark.parametrize("line", ["OKAPI", "BOOK", "OK OK", "ERRORS", "XERROR", "ok", '+CLIP: "0312345601","OK SHOP"'])
def test_near_misses_are_not_final(line):
    assert hear("AT+CSQ", f"\r\n{line}\r\n".encode()) == [Notice(line)]


@pytest.mark.parametrize(
    "final",
    [
        "OK",
        "ERROR",
        "+CME ERROR: 30",
        "+CME ERROR: SIM busy",
        "+CMS ERROR: 321",
        "COMMAND NOT SUPPORT",
        "TOO MANY PARAMETERS",
    ],
)
def test_finals_of_every_command(final):
    assert hear("AT+CSQ", f"\r\n{final}\r\n".encode()) == [Reply("AT+CSQ", final)]


@pytest.mark.parametrize(
    "final", ["BUSY", "NO CARRIER", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE", "CONNECT", "CONNECT 9600", "VCON"]
)
def test_call_results_end_only_a_call_command(final):
    line = f"\r\n{final}\r\n".encode()
    for command in (DIAL, "ATA", "AT+QPCMV=0;+QPCMV=1,0;D0312345601;"):
        assert hear(command, line) == [Reply(command, final)]
    for command in ("AT+CSQ", "AT+CHUP", "AT^DSCI=1", "AT+QAUDMOD=3"):
        assert hear(command, line) == [Notice(final)]


def test_glued_result_and_notice_are_parted():
    assert hear("AT+CNUM", b'\r\nERROR+CNUM: ,"0312345601",129\r\n') == [
        Reply("AT+CNUM", "ERROR"),
        Notice('+CNUM: ,"0312345601",129'),
    ]


def test_lines_without_blank_lines_or_with_spaces_before_the_colon():
    assert hear("AT+CSQ", b"+CSQ : 17,99\nOK\n") == [Reply("AT+CSQ", "OK", ("+CSQ : 17,99",))]


def test_a_notice_inside_a_reply_is_no_part_of_it():
    said = b"\r\n+CLCC: 1,0,0,0,0\r\n\r\nRING\r\n\r\n+CRING: VOICE\r\n\r\n+CLCC: 2,1,5,0,0\r\n\r\nOK\r\n"
    assert hear("AT+CLCC", said) == [
        Notice("RING"),
        Notice("+CRING: VOICE"),
        Reply("AT+CLCC", "OK", ("+CLCC: 1,0,0,0,0", "+CLCC: 2,1,5,0,0")),
    ]


def test_plain_answers_belong_to_the_commands_that_have_such():
    assert hear("AT+CGMM", b"\r\nEC25\r\n\r\nRING\r\n\r\nOK\r\n") == [Notice("RING"), Reply("AT+CGMM", "OK", ("EC25",))]
    assert hear("AT+CLIP=1", b"\r\nEC25\r\n\r\nOK\r\n") == [Notice("EC25"), Reply("AT+CLIP=1", "OK")]


@pytest.mark.parametrize(
    ("line", "command", "expected"),
    [
        ("+CREG: 0,1", "AT+CREG?", True),
        ('+CREG: 2,1,"1A2B","00C3",7', "AT+CREG?", True),
        ("+CREG: 1,0,1", "AT+CREG?", True),
        ("+CREG: 5", "AT+CREG?", False),
        ('+CREG: 1,"1A2B","00C3",7', "AT+CREG?", False),
        ("+CREG: 1,1A2B,00C3", "AT+CREG?", False),
        ("+CEREG: 0,1", "AT+CREG?", False),
        ("+QPCMV: 0,0", "AT+QPCMV=1,0", False),
        ("+QPCMV: 1,0", "AT+QPCMV?", True),
        ('+QLTS: "2026/11/22,05:00:00+36,0"', "AT+QLTS=2", True),
        ("+CLCC: 1,0,0,0,0", "AT+CHUP", False),
        ("+CSQN: 1,2", "AT+CSQ", False),
    ],
)
def test_what_answers_and_what_is_news(line, command, expected):
    assert answers(line, command) is expected


def test_only_one_question_at_a_time():
    talk = Dialogue()
    talk.ask("AT+CSQ")
    with pytest.raises(MisuseError):
        talk.ask("AT+CLCC")


@pytest.mark.parametrize("command", ["AT\rATD0312345601;", "AT\n", "AT日本"])
def test_a_command_is_one_line_of_ascii(command):
    with pytest.raises(MisuseError):
        Dialogue().ask(command)


def test_a_late_answer_is_credited_to_nobody():
    talk = Dialogue()
    talk.ask("AT+CLCC")
    talk.give_up()
    assert talk.adrift
    with pytest.raises(MisuseError):
        talk.ask("AT+CSQ")
    assert list(talk.hear(b"\r\n+CLCC: 1,0,0,0,0\r\n\r\nOK\r\n")) == []
    talk.ask("AT")
    assert list(talk.hear(b"\r\nRING\r\n\r\nOK\r\n")) == [Notice("RING"), Reply("AT", "OK")]
    assert not talk.adrift


def test_a_late_answer_behind_the_marker_is_not_the_markers():
    talk = Dialogue()
    talk.ask("AT+CLCC")
    talk.give_up()
    talk.ask("AT")
    assert list(talk.hear(b"\r\n+CLCC: 1,0,0,0,0\r\n\r\nOK\r\n")) == []
    assert talk.adrift
    assert list(talk.hear(b"\r\nERROR\r\n")) == []
    assert list(talk.hear(b"\r\nOK\r\n")) == [Reply("AT", "OK")]
    talk.ask("AT+CSQ")
    assert list(talk.hear(b"\r\n+CSQ: 9,99\r\n\r\nOK\r\n")) == [Reply("AT+CSQ", "OK", ("+CSQ: 9,99",))]


def test_a_line_without_end_is_dropped_whole_and_the_next_is_heard():
    endless = b"x" * (3 * LONGEST_LINE)
    for size in (1, 100, LONGEST_LINE, 2 * LONGEST_LINE, len(endless)):
        chunks = [endless[at : at + size] for at in range(0, len(endless), size)]
        assert hear("AT+CSQ", *chunks, b"OK\r\n", b"OK\r\n") == [Reply("AT+CSQ", "OK")]


def test_the_longest_line_is_heard():
    line = b"+CSQ: " + b"1" * (LONGEST_LINE - 6)
    assert hear("AT+CSQ", line + b"\r\nOK\r\n") == [Reply("AT+CSQ", "OK", (line.decode(),))]


def test_garbage_is_counted_until_a_reply():
    talk = Dialogue()
    talk.ask("AT+CSQ")
    list(talk.hear(b"\xff\xfe\r\n+C#Q: 1\r\n"))
    assert talk.garbage > 0
    list(talk.hear(b"OK\r\n"))
    assert talk.garbage == 0


def test_what_a_modem_babbled_before_the_marker_does_not_count_against_it():
    talk = Dialogue()
    list(talk.hear(b"\xff\r\nEADY\r\n"))
    talk.give_up()
    assert talk.garbage > 0
    talk.ask(MARKER)
    assert talk.garbage == 0
    list(talk.hear(b"O\xffK\r\n"))
    assert talk.garbage > 0


# Readers


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('+CLCC: 1,0,3,0,0,"0312345601",129', CallRow(1, False, CallState.ALERTING, True, "0312345601")),
        ('+CLCC: 1,1,4,0,0,"",128,"",,0', CallRow(1, True, CallState.INCOMING, True)),
        ("+CLCC: 2,0,0,1,0", CallRow(2, False, CallState.ACTIVE, False)),
        ('+CLCC:1,0,0,0,0,""', CallRow(1, False, CallState.ACTIVE, True)),
        ('+CLCC: 1,0,6,0,0,"0312345601",129,""', CallRow(1, False, CallState.RELEASED, True, "0312345601")),
        ('+CLCC: 1,0,0,4,0,"+81312345601",145,"a, b"', CallRow(1, False, CallState.ACTIVE, True, "+81312345601")),
    ],
)
def test_rows_of_the_list_of_calls(line, row):
    assert callrows.clcc(line) == row


def test_ccinfo():
    line = '+QIND: "ccinfo",1,0,-1,0,0,"0312345601",129'
    assert callrows.ccinfo(line) == CallRow(1, False, CallState.RELEASED, True, "0312345601")
    assert callrows.ccinfo('+QIND: "csq",24,99') is None


def test_dsci_counts_otherwise_than_clcc():
    states = [callrows.dsci(f"^DSCI: 1,0,{state},0,0312345601,129").state for state in (2, 7, 3, 6)]
    assert states == [CallState.DIALLING, CallState.ALERTING, CallState.ACTIVE, CallState.RELEASED]
    assert callrows.dsci("^DSCI: 1,1,4,0,,128") == CallRow(1, True, CallState.INCOMING, True)


@pytest.mark.parametrize(
    ("line", "caller"),
    [
        ('+CLIP: "0312345601",129,,,,0', Caller("0312345601")),
        ('+CLIP: "81312345601",145,,,,0', Caller("+81312345601")),
        ('+CLIP: "+81312345601",145', Caller("+81312345601")),
        ('+CLIP: "",128', Caller(None, Hidden.WITHHELD)),
        ('+CLIP: "",128,,,,1', Caller(None, Hidden.WITHHELD)),
        ('+CLIP: "0312345601",129,"",0,"OK SHOP",2', Caller(None, Hidden.UNAVAILABLE)),
        ('+CLIP: "",128,,,,3', Caller(None, Hidden.PAYPHONE)),
        ('+CLIP: "0312345601",129,"",0,"OK SHOP",0', Caller("0312345601")),
    ],
)
def test_caller(line, caller):
    assert readings.clip(line) == caller


def test_registration_has_two_shapes():
    assert readings.registration("+CREG: 2,1", asked=True).registered
    assert readings.registration("+CREG: 1", asked=False).registered
    assert not readings.registration('+CEREG: 0,2,"FFFE"', asked=True).registered
    assert readings.registration('+CEREG: 5,"1A2B","01",7', asked=False).registered
    with pytest.raises(UnexpectedReply):
        readings.registration("+CREG: 1", asked=True)


def test_signal_flow_tone_pin_operator_and_errors():
    assert readings.signal("+CSQ: 31,99").bars == 4
    assert readings.signal("+CSQ: 99,99").bars is None
    assert readings.pcm_flow("+QPCMV: 0,0") is False
    assert readings.pcm_flow("+QPCMV: 1,0") is True
    assert [readings.tone(f"+QTONEDET: {code}") for code in (53, 35, 65, 97, 7)] == ["5", "#", "A", None, None]
    assert readings.pin("+CPIN: READY") == "READY"
    assert readings.operator('+COPS: 0,0,"NTT DOCOMO",7') == "NTT DOCOMO"
    assert readings.operator("+COPS: 0") == ""
    assert [readings.cme(final) for final in ("+CME ERROR: 14", "+CME ERROR: SIM busy", "ERROR")] == [14, None, None]


@pytest.mark.parametrize(
    ("line", "utc"),
    [
        ('+QLTS: "2026/11/22,14:01:02+36,0"', 1795323662.0),
        ('+CCLK: "26/11/22,14:01:02+36"', 1795323662.0),
        ('+CCLK: "26/11/22,05:01:02"', 1795323662.0),
        ('+QLTS: ""', None),
        ('+CCLK: "80/01/06,00:00:10+00"', None),
        ('+CCLK: "70/01/01,00:00:10+36"', None),
    ],
)
def test_network_time(line, utc):
    assert readings.network_time(line) == utc


READERS = (
    (callrows.clcc, "+CLCC: "),
    (callrows.ccinfo, '+QIND: "ccinfo",'),
    (callrows.dsci, "^DSCI: "),
    (readings.clip, "+CLIP: "),
    (lambda line: readings.registration(line, asked=True), "+CREG: "),
    (lambda line: readings.registration(line, asked=False), "+CEREG: "),
    (readings.signal, "+CSQ: "),
    (readings.pcm_flow, "+QPCMV: "),
    (readings.tone, "+QTONEDET: "),
    (readings.network_time, "+QLTS: "),
    (readings.network_time, "+CCLK: "),
    (readings.pin, "+CPIN: "),
    (readings.operator, "+COPS: "),
)
FIELDS = st.lists(
    st.one_of(
        st.integers(-9, 300).map(str),
        st.sampled_from(
            ['"0312345601"', '""', '"', "", "9" * 5000, '"26/99/99,99:99:99+99"', "READY", "٣", "-", "1e9"]
        ),
        st.text(max_size=8),
    ),
    max_size=9,
).map(",".join)


def a_reader_raises_only_unexpected_reply(reader, rest):
    read, name = reader
    for line in (name + rest, rest):
        try:
            read(line)
        except UnexpectedReply:
            pass


PIECES = st.one_of(
    st.sampled_from(
        b"|\r\n|\r|\n|OK|ERROR|\r\nOK\r\n|\r\nRING\r\n|NO CARRIER|+CLCC: 1,0,0,0,0|ERROR+CNUM: 1|+CREG: 1|\0|\xff"
        b'|+QIND: "ccinfo",1,0,-1,0,0|+CME ERROR: 14|AT+CLCC'.split(b"|")
    ),
    st.binary(max_size=12),
)
COMMANDS = st.sampled_from(["AT+CLCC", DIAL, "AT+CREG?", "AT+CGMM", "ATA", "AT+QPCMV=1,0"])


def whatever_a_modem_says_the_dialogue_goes_on(turns):
    talk, asked = Dialogue(), 0
    for gives_up, command, piece in turns:
        if talk.asked is None:
            talk.ask("AT" if talk.adrift else command)
            asked += 1
        elif gives_up:
            talk.give_up()
        for said in talk.hear(piece):
            assert isinstance(said, Reply | Notice)
            asked -= isinstance(said, Reply)
        assert asked >= 0  # no answer without a question
        assert len(talk._unread) <= LONGEST_LINE


def cuts_never_matter(pieces, chance: random.Random, command):
    said = b"".join(pieces)
    cuts = sorted(chance.randrange(len(said) + 1) for _ in range(4))
    chunks = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert hear(command, *chunks) == hear(command, said)


FUZZED = (
    (a_reader_raises_only_unexpected_reply, (st.sampled_from(READERS), FIELDS)),
    (whatever_a_modem_says_the_dialogue_goes_on, (st.lists(st.tuples(st.booleans(), COMMANDS, PIECES), max_size=30),)),
    (cuts_never_matter, (st.lists(PIECES, max_size=20), st.randoms(use_true_random=False), COMMANDS)),
)


@pytest.mark.parametrize(("check", "what"), FUZZED)
def test_whatever_a_modem_says(check, what):
    fuzz(check, what, SAMPLE)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("check", "what"), FUZZED)
def test_whatever_a_modem_says_for_long(check, what):
    fuzz(check, what, FULL)
