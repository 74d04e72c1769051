"""The house: imports run one way only, provisioning → firmware → hw, and never in a circle."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {"hw": {"hw"}, "firmware": {"firmware", "hw"}, "provisioning": {"provisioning", "firmware", "hw"}}
DRIVERS = {"at", "gsm", "modems", "pcm", "voicemodem", "sip", "keypad", "hook", "lcd", "lamp", "audio", "talkpath"}
ALONE = {"pjsua2": "hw/sip.py", "serial": "hw/", "pyaudio": "hw/audio.py", "luma": "hw/", "gpiozero": "hw/"}
SOCKETS = {"socket", "ssl", "http", "urllib", "asyncio", "uvicorn", "starlette", "websockets", "httpx"}


def sources(room):
    return sorted((ROOT / room).rglob("*.py"))


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path, *, late=False):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if late else ast.iter_child_nodes(tree)
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_keep_their_direction(room):
    for path in sources(room):
        ours = {name.partition(".")[0] for name in imports(path, late=True)} & MAY_IMPORT.keys()
        assert ours <= MAY_IMPORT[room], path


def test_the_emulation_shares_nothing_with_the_drivers():
    for path in sources("hw/emulated"):
        for name in imports(path, late=True):
            parts = name.split(".")
            assert parts[0] not in {"firmware", "provisioning"}
            if parts[0] == "hw" and len(parts) > 1:
                assert parts[1] not in DRIVERS, f"{path} imports {name}"


def test_no_driver_knows_the_emulation():
    for path in sources("hw"):
        if "emulated" not in path.parts:
            assert not [name for name in imports(path, late=True) if name.startswith("hw.emulated")], path


def test_nothing_but_the_desk_uses_the_emulation():
    for path in [*sources("firmware"), *sources("provisioning")]:
        if "desk" not in path.parts:
            assert not [name for name in imports(path, late=True) if name.startswith("hw.emulated")], path


@pytest.mark.parametrize("library", ALONE)
def test_each_device_library_stays_in_its_file(library):
    for room in MAY_IMPORT:
        for path in sources(room):
            inside = str(path.relative_to(ROOT)).startswith((ALONE[library], "firmware/desk"))
            used = [name for name in imports(path, late=True) if name.partition(".")[0] == library]
            assert inside or not used, f"{path} imports {used}"


def test_only_the_link_opens_a_socket_to_a_network():
    """The booth and sync wake each other by AF_UNIX. Parsing an address opens nothing, nor does naming a status."""
    allowed = {"firmware/wake.py": {"socket"}, "firmware/syncing/link.py": {"socket", "ssl", "http"}}
    for path in sources("firmware"):
        if "desk" not in path.parts:
            names = {name for name in imports(path, late=True) if not name.startswith("urllib.parse")}
            if "http.HTTPStatus" in names and not names & {"http.client", "http.server"}:
                names.discard("http")
            used = {name.partition(".")[0] for name in names - {"http.HTTPStatus"}} & SOCKETS
            assert used <= allowed.get(str(path.relative_to(ROOT)), set()), f"{path} imports {used}"


def test_waking_is_local():
    tree = ast.parse((ROOT / "firmware/wake.py").read_text(encoding="utf-8"))
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    taken = {node.attr for node in named if isinstance(node.value, ast.Name) and node.value.id == "socket"}
    assert taken == {"socket", "AF_UNIX", "SOCK_DGRAM", "SOCK_CLOEXEC"}
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "socket.socket"]
    assert made
    assert all(ast.unparse(call.args[0]) == "socket.AF_UNIX" for call in made)


def reached(start):
    """The modules of ours that importing `start` imports."""
    known = {name_of(path): path for room in MAY_IMPORT for path in sources(room)}
    found, ahead = set(), [start]
    while ahead:
        name = ahead.pop()
        if name in known and name not in found:
            found.add(name)
            parents = {name.rpartition(".")[0]} - {""}
            ahead += [*imports(known[name], late=True), *parents]
    return found


def test_the_booth_never_loads_what_speaks_to_a_network():
    assert not [name for name in reached("firmware.__main__") if name.startswith("firmware.sync")]


def test_sync_loads_no_device_and_no_heavy_library():
    """It must stay below 40 MB, and nothing that it does may disturb a call."""
    ours = reached("firmware.sync")
    assert not [name for name in ours if name.startswith("hw.") and name not in {"hw.errors", "hw.events"}]
    known = {name_of(path): path for path in sources("firmware")}
    used = {outer.partition(".")[0] for name in ours & known.keys() for outer in imports(known[name], late=True)}
    assert not used & {"PIL", "luma", "phonenumbers", "pyrage", "serial", "gpiozero", "pyaudio"}


def test_nothing_is_imported_late():
    for room in MAY_IMPORT:
        for path in sources(room):
            late = set(imports(path, late=True)) - set(imports(path))
            assert not late or path.name == "wiring.py", f"{path} imports {late} inside a function"


def test_imports_never_run_in_a_circle():
    known = {name_of(path): path for room in MAY_IMPORT for path in sources(room)}
    graph = {name: {one for one in imports(path) if one in known and one != name} for name, path in known.items()}
    done = set()

    def visit(name, trail):
        assert name not in trail, " → ".join([*trail, name])
        if name not in done:
            for other in graph[name]:
                visit(other, [*trail, name])
            done.add(name)

    for name in graph:
        visit(name, [])
