"""The voice modems there are: what each says of itself, and where it differs from the next.

What an owner or a maker wrote is taken over as it was written; what nobody wrote is what V.253 says, or a guess, and
then says so. Sources: ncid's documentation of hang-up announcements (+VSM lists and ATI3 of USR5637 and CX93001),
the USR5637 OEM guide of 05/2008 (defaults of +VSM, +VRA, +VRN, +VSD), bench notes on a CX93001-EIS_V0.2013 behind an
HT802 (test forms, throughput, 14-bit words), mgetty 1.2.1's drivers of Multi-Tech modems (+VLS list), callattendant's
and its successor's tables (stop commands, +VTS forms, the meaning of H).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from hw.emulated.analogcodings import FOURTEEN, MU_LAW, SIGNED, UNSIGNED, WIDE, Coding


@dataclass(frozen=True)
class Format:
    """A row of +VSM=?: its number, what follows it in the list, and how it is coded; None: not spoken here."""

    number: int
    listed: str
    coding: Coding | None
    rates: tuple[int, ...] = (8000,)


@dataclass(frozen=True)
class Model:
    """One make of modem.

    `about` answers ATI<n>; `formats` is the list of +VSM=?, the first spoken one or `default` is chosen at power-on;
    `set_fields` are the most values that +VSM= takes. `lines` is the answer to +VLS=?. `own` are the commands that
    only this make has, with default and limits. `quirks` are the options that are its nature.
    """

    about: Mapping[str, tuple[str, ...]]
    formats: tuple[Format, ...]
    default: int
    set_fields: int
    lines: tuple[str, ...]
    quirks: Mapping[str, object]
    own: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    maker: str = "CONEXANT"


_USR_RATES = (7200, 8000, 11025)
_USR_FORMATS = (
    Format(128, '"8-BIT LINEAR",(7200,8000,11025)', UNSIGNED, _USR_RATES),
    Format(129, '"16-BIT LINEAR",(7200,8000,11025)', WIDE, _USR_RATES),
    Format(130, '"8-BIT ALAW",(8000)', None),
    Format(131, '"8-BIT ULAW",(8000)', MU_LAW),
    Format(132, '"IMA ADPCM",(7200,8000,11025)', None),
)
_USR_LINES = (
    '0,"",B0000000,B0000000,B0000000',
    '1,"T",0BC01800,0BC01800,0BC01800',
    '2,"L",00000000,00000000,B0000000',
    '3,"LT",0BC01800,0BC01800,0BC01800',
    '4,"S",00000000,00000000,B0000000',
    '5,"ST",0BC01800,0BC01800,0BC01800',
    '6,"M",00000000,00000000,B0000000',
    '7,"MST",0BC01800,0BC01800,0BC01800',
)
_CONEXANT_FORMATS = (
    Format(0, '"SIGNED PCM",8,0,8000,0,0', SIGNED),
    Format(1, '"UNSIGNED PCM",8,0,8000,0,0', UNSIGNED),
    Format(129, '"IMA ADPCM",4,0,8000,0,0', None),
    Format(130, '"UNSIGNED PCM",8,0,8000,0,0', UNSIGNED),
    Format(131, '"Mu-Law",8,0,8000,0,0', MU_LAW),
    Format(132, '"A-Law",8,0,8000,0,0', None),
    Format(133, '"14 bit PCM",14,0,8000,0,0', FOURTEEN),
)
_CONEXANT_LINES = (
    '0," ",0000000000,0000000000,B084008000',
    '1,"T",0B8433C100,0FE431C100,0B8431C100',
    '2,"L",0084008000,0084008000,0084008000',
    '3,"LT",0B8433C100,0FE431C100,0B8431C100',
    '4,"S",0084008000,0084008000,0084008000',
    '5,"ST",0B8433C100,0FE431C100,0B8431C100',
    '6,"M",0084008000,0084008000,0084008000',
    '7,"MST",0B8433C100,0FE431C100,0B8431C100',
)
_CONEXANT_OWN = MappingProxyType({"-STE": ("0", "(0-7)"), "-SCID": ("0", "(0-2)")})


def _conexant(firmware: str, **quirks: object) -> Model:
    """A CX93001 or CX93010 under whatever name it is sold."""
    nature = {
        "answer_word": "OK",
        "vts_zero_pairs": True,
        "rings_as_event": True,
        "silence_ends": True,
        "phone_codes": "Pp",
    }
    return Model(
        about={"": ("56000",), "0": ("56000",), "3": (firmware,), "7": (), "9": ("56K V.92",)},
        formats=_CONEXANT_FORMATS,
        default=130,
        set_fields=4,
        lines=_CONEXANT_LINES,
        quirks={**nature, "budget": 30400, **quirks},
        own=_CONEXANT_OWN,
    )


MODELS: dict[str, Model] = {
    "usr5637": Model(
        about={
            "": ("5601",),
            "0": ("5601",),
            "3": ("U.S. Robotics 56K FAX USB V{firmware}",),
            "7": ("Configuration Profile...", "Product ID:            USR5637", "Flash Rev              {firmware}"),
            "9": ("(1.0USR5637\\\\Modem\\PNPC107\\56K USB)FF",),
        },
        formats=_USR_FORMATS,
        default=129,
        set_fields=2,
        lines=_USR_LINES,
        quirks={
            "answer_word": "VCON",
            "self_confirms": True,
            "records_on": (5,),
            "vts_digits": False,
            "no_dial_tone": "NO DIAL TONE",
        },
        maker="U.S. Robotics",
    ),
    "conexant": _conexant("CX93001-EIS_V0.2013-V92"),
    "zoom3095": _conexant("CX93001-EIS_V0.2002-V92", stop_dles=3),
    "startech": _conexant("CX93001-EIS_V0.2013-V92", answer_word="VCON", caller_id_spaces=False),
    "mt9234": Model(
        about={"": ("Multi-Tech MT9234ZBA",), "0": ("9234",), "3": ("MT9234ZBA-V1.31",), "7": (), "9": ()},
        formats=_USR_FORMATS,
        default=128,
        set_fields=2,
        lines=_USR_LINES,
        quirks={"answer_word": "VCON", "vts_zero_pairs": True, "silence_code": "q"},
        maker="Multi-Tech Systems",
    ),
}
