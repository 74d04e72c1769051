from io import BytesIO
from pathlib import Path
from string import Formatter

from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import firmware
from provisioning import faults
from provisioning.server import pages
from provisioning.server.pages.language import load

ROOM = Path(pages.__file__).parent
PO = ROOM / "words" / "ja" / "LC_MESSAGES" / "pages.po"
BOOTH = Path(firmware.__file__).parent / "text" / "ja" / "LC_MESSAGES" / "booth.po"
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]


def catalogue(path):
    with path.open("rb") as file:
        return {message.id: message for message in read_po(file) if message.id}


def in_pages():
    found = extract_from_dir(str(ROOM), METHODS, keywords={"text": None, "mark": None})
    return {message for _, _, message, _, _ in found if isinstance(message, str)} | set(faults.SAID.values())


def test_every_text_of_the_pages_is_translated_here_or_by_the_booth_and_no_other():
    ours, booths = catalogue(PO), catalogue(BOOTH)
    assert in_pages() - set(ours) - set(booths) == set()
    assert set(ours) - in_pages() == set()
    assert not [message.id for message in ours.values() if message.fuzzy or not message.string]


def test_the_compiled_catalogue_is_the_one_that_can_be_read():
    compiled = BytesIO()
    with PO.open("rb") as file:
        write_mo(compiled, read_po(file))
    assert PO.with_suffix(".mo").read_bytes() == compiled.getvalue(), "run `make text`"


def test_translations_have_the_same_names_to_fill_in():
    def names(text):
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    assert [each.id for each in catalogue(PO).values() if names(each.id) != names(each.string)] == []


def test_server_and_booth_say_the_same():
    booth = catalogue(BOOTH)
    assert load("ja")("they hung up") == booth["they hung up"].string
