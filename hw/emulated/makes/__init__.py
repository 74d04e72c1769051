"""The makes of modem that can be emulated, one table each."""

from hw.emulated.make import Make
from hw.emulated.makes.generic import GENERIC, ODD
from hw.emulated.makes.huawei import HUAWEI
from hw.emulated.makes.quectel import QUECTEL, QUECTEL_UAC
from hw.emulated.makes.sim800 import SIM800
from hw.emulated.makes.simcom import A7670, SIM7600

MAKES: dict[str, Make] = {
    "quectel": QUECTEL,
    "quectel-uac": QUECTEL_UAC,
    "sim7600": SIM7600,
    "a7670": A7670,
    "sim800": SIM800,
    "huawei": HUAWEI,
    "generic": GENERIC,
    "odd": ODD,
}
