"""The dialogue with a V.253 modem: the same at every cut, and no sound is taken for words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.at import MARKER, Notice, Reply
from hw.coding import LINEAR, SIGNED, ULAW, UNSIGNED
from hw.dle import Code
from hw.errors import MisuseError
from hw.modems.analog import CONEXANT, GENERIC, MODELS, USR, codings, identified, too_old
from hw.v253 import HALT, VoiceDialogue, done


def joined(said):
    """Pieces of sound that follow each other as one."""
    whole = []
    for one in said:
        if whole and isinstance(one, bytes) and isinstance(whole[-1], bytes):
            whole[-1] += one
        else:
            whole.append(one)
    return whole


def hear(command, *pieces):
    talk = VoiceDialogue()
    talk.ask(command)
    return joined([one for piece in pieces for one in talk.hear(piece)])


SAID = {
    "AT+VTR": b"AT+VTR\r\r\nCONNECT\r\n\x80\x0a\x0d\n\x10\x10b\x7f\x10bOK\r\n",
    "AT+VSM=?": b'\r\n128,"8-BIT LINEAR",8,0,(8000),0,0\r\n\r\nRING\r\n4,"G.711 ULAW",8\r\n\r\nOK\r\n\r\nNMBR = 0312345601\r\n',
    "ATDT0312345601;": b"\r\nRINGING\r\n\x10r\r\nNO DIAL TONE\r\n",
    "AT+VLS=1": b"\r\nRING\r\n\r\nNO CARRIER\r\nVCON\r\n",
}


@pytest.mark.parametrize("command", SAID)
def test_every_cut_hears_the_same(command):
    said = SAID[command]
    whole = hear(command, said)
    for cut in range(len(said)):
        assert hear(command, said[:cut], said[cut:]) == whole
    assert hear(command, *(bytes([byte]) for byte in said)) == whole


def test_sound_begins_right_behind_connect():
    assert hear("AT+VTR", SAID["AT+VTR"]) == [
        Reply("AT+VTR", "CONNECT"),
        b"\x80\n\r\n\x10b\x7f",
        Code("b"),
        b"OK\r\n",
    ]


def test_news_in_the_middle_of_an_answer():
    ring, reply, number = hear("AT+VSM=?", SAID["AT+VSM=?"])
    assert ring == Notice("RING")
    assert reply.lines == ('128,"8-BIT LINEAR",8,0,(8000),0,0', '4,"G.711 ULAW",8')
    assert number == Notice("NMBR = 0312345601")


def test_which_words_are_final_depends_on_the_question():
    assert hear("ATDT0312345601;", SAID["ATDT0312345601;"]) == [
        Notice("RINGING"),
        Code("r"),
        Reply("ATDT0312345601;", "NO DIAL TONE"),
    ]
    assert hear("AT+VLS=1", SAID["AT+VLS=1"]) == [Notice("RING"), Notice("NO CARRIER"), Reply("AT+VLS=1", "VCON")]


def test_a_ring_amid_the_sound():
    said = b"\r\nCONNECT\r\n" + bytes([0x80]) * 20 + b"\r\nRING\r\n" + bytes([0x80]) * 20
    for cut in range(len(said)):
        heard = hear("AT+VTR", said[:cut], said[cut:])
        assert heard.count(Notice("RING")) == 1
        assert b"".join(one for one in heard if isinstance(one, bytes)) == said[11:]


def streaming():
    talk = VoiceDialogue()
    talk.ask("AT+VTR")
    list(talk.hear(b"\r\nCONNECT\r\n"))
    return talk


def test_the_stream_ends_when_asked():
    talk = streaming()
    with pytest.raises(MisuseError):
        talk.ask("ATH")
    talk.halt()
    said = joined(talk.hear(b"\x80\x80\x10\x03\r\nOK\r\n"))
    assert said == [b"\x80\x80", Code("\x03"), Reply(HALT, "OK")]
    talk.ask("ATH")
    assert done(next(talk.hear(b"\r\nOK\r\n")))


def test_the_ok_of_a_stream_that_ended_by_itself_is_nobodys_answer():
    talk = streaming()
    assert list(talk.hear(b"\x80\x10\x03")) == [b"\x80", Code("\x03")]
    assert talk.owing
    assert list(talk.hear(b"\r\nOK\r\n")) == []
    assert not talk.owing
    talk.ask("AT+VLS=0")
    assert list(talk.hear(b"\r\nERROR\r\n")) == [Reply("AT+VLS=0", "ERROR")]


def test_late_answers_are_nobodys():
    talk = VoiceDialogue()
    talk.ask("AT+VLS=1")
    talk.give_up()
    with pytest.raises(MisuseError):
        talk.ask("ATH")
    talk.ask(MARKER)
    assert list(talk.hear(b"\r\nERROR\r\n\r\nRING\r\n")) == [Notice("RING")]
    assert list(talk.hear(b"\r\nOK\r\n")) == [Reply(MARKER, "OK")]
    assert not talk.adrift


@given(
    st.lists(st.binary(max_size=60) | st.sampled_from([b"\r\nOK\r\n", b"\r\nCONNECT\r\n", b"\x10\x03"]), max_size=20)
)
def test_whatever_a_modem_says_nothing_breaks(pieces):
    for command in SAID:
        talk = VoiceDialogue()
        talk.ask(command)
        for piece in pieces:
            list(talk.hear(piece))
        talk.give_up()
        talk.ask(MARKER)
        assert list(talk.hear(b"\x10\x80\r\n\r\nOK\r\n\r\nOK\r\n"))[-1]


# Models


@pytest.mark.parametrize(
    ("answers", "name"),
    [
        (["5601"], "usr5637"),
        (["U.S. Robotics 56K FAX USB V1.2.23"], "usr5637"),
        (["56000", "CX93001-EIS_V0.2002-V92"], "conexant"),
        (["56000", "ZOOM"], "zoom3095"),
        (["56000", "StarTech USB56KEMH2"], "startech"),
        (["MT9234ZBA-USB"], "mt9234"),
        (["33600", "ACME"], "v253"),
        ([], "v253"),
    ],
)
def test_a_modem_is_known_by_what_it_says(answers, name):
    assert identified(answers).name == name


@pytest.mark.parametrize(
    ("rows", "model", "best"),
    [
        (['128,"8-BIT LINEAR",8,0,(7200,8000,11025),(0),(0)'], USR, (128, UNSIGNED)),
        (['0,"SIGNED PCM",8,0,8000,0,0', '1,"UNSIGNED PCM",8,0,8000,0,0'], CONEXANT, (1, UNSIGNED)),
        (['0,"SIGNED PCM",8,0,8000,0,0', '129,"IMA ADPCM",4,0,8000'], CONEXANT, (0, SIGNED)),
        (['5,"G.711A",8,0,8000', '1,"UNSIGNED PCM",8,0,8000', '4,"G.711U",8,0,8000'], CONEXANT, (4, ULAW)),
        (['1,"UNSIGNED PCM",8,0,8000', '4,"G.711 U-LAW",8,0,8000'], CONEXANT, (4, ULAW)),
        (["+VSM: 130,UNSIGNED PCM,8,0,127,0"], GENERIC, (130, UNSIGNED)),
        (['131,"16-BIT LINEAR",16,0,(8000)'], GENERIC, (131, LINEAR)),
        (['128,"8-BIT LINEAR",8,0,(11025),(0),(0)'], GENERIC, None),  # no 8000 Hz
        (['128,"8-BIT LINEAR",(7200,8000,11025)', '129,"16-BIT LINEAR",(7200,8000,11025)'], GENERIC, (128, UNSIGNED)),
        (['130,"8-BIT ALAW",(8000)', '131,"8-BIT ULAW",(8000)', '132,"IMA ADPCM",(7200,8000)'], USR, (131, ULAW)),
        (['0,"SIGNED PCM",8,0,8000,0,0', '131,"Mu-Law",8,0,8000,0,0', '132,"A-Law",8,0,8000'], CONEXANT, (131, ULAW)),
        (['133,"14 bit PCM",14,0,8000,0,0', '129,"16-BIT LINEAR",(8000)'], GENERIC, (129, LINEAR)),
        (["nonsense"], CONEXANT, (1, UNSIGNED)),
        ([], GENERIC, None),
    ],
)
def test_a_coding_is_chosen_by_its_name(rows, model, best):
    assert next(iter(codings(rows, model)), None) == best


def test_h_and_capital_h_are_each_makers_own():
    assert "H" not in USR.ends
    assert {"H", "l"} <= CONEXANT.ends
    assert {"q", "s"} <= MODELS["mt9234"].ends
    assert not {"h", "H"} & GENERIC.ends


def test_only_the_firmware_that_takes_no_line_is_too_old():
    assert too_old(USR, ["USRobotics", "Flash date 9/22/2010", "1.2.22"]) == "1.2.22"
    assert too_old(USR, ["1.2.23"]) == too_old(USR, ["2.0.0"]) == too_old(USR, []) == ""
    assert too_old(CONEXANT, ["0.0.1"]) == ""
