"""The network between a desk's booth and its server: a cable for TCP that can be cut, and connections really break."""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

HERE = "127.0.0.1"
_PIECE = 64 * 1024  # bytes carried at once
_PATIENCE = 5.0  # seconds for what the cable's own thread does at once
_BROKEN = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset, and what was under way is lost


class Cable:
    """Carries whatever connects to `url` to a port of this machine. Any thread may cut it and mend it.

    While it is cut its near end stays in place, or somebody else might take the port: whoever says a word is hung up on.
    """

    def __init__(self, port: int) -> None:
        """`port`: of the far end."""
        self._port, self.is_cut = port, False
        self._ear = socket.create_server((HERE, 0))
        self.url = f"https://{HERE}:{self._ear.getsockname()[1]}"
        self._strands: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable")
        self._thread.start()
        self._server = self._do(asyncio.start_server(self._carry, sock=self._ear))

    def cut(self) -> None:
        """Break every connection; when this returns they are broken."""
        self._do(self._break())

    def mend(self) -> None:
        """From now on connections are carried again."""
        self.is_cut = False

    def close(self) -> None:
        """Take it away."""
        self._do(self._break())
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE)

    async def _break(self) -> None:
        self.is_cut = True
        for strand in tuple(self._strands):
            _tear(strand)

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from here to the far end and back."""
        self._strands.add(writer)
        try:
            if self.is_cut:
                await reader.read(1)  # a reset before it has spoken would look like an end to some
            else:
                await self._connect(reader, writer)
        except* OSError:  # one end has gone: the other hears of it below
            pass
        finally:
            _tear(writer)
            self._strands.discard(writer)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(HERE, self._port)
        self._strands.add(far_writer)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
        finally:
            _tear(far_writer)
            self._strands.discard(far_writer)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until `reader` has no more; then `writer`'s end hears that, and may still say what it has to."""
    while piece := await reader.read(_PIECE):
        writer.write(piece)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _tear(strand: asyncio.StreamWriter) -> None:
    if not strand.transport.is_closing():
        strand.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _BROKEN)
        strand.transport.abort()
