"""A bad line between two ends: passes bytes on until it is told to cut, stall or double them."""

import asyncio
import contextlib
import random
import threading

HASTE = 2048  # bytes passed on at a time, so that every place can be hit


class Proxy:
    """Listens on a port of its own and passes everything on to `port`. `mood` says what becomes of a connection."""

    def __init__(self, port, seed=0):
        self._to, self._chance = port, random.Random(seed)
        self.mood, self.connections, self.mishaps = "well", 0, 0
        self._flows = []
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        assert self._up.wait(5)

    def close(self):
        """Hang up on everybody."""
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    def freeze(self):
        """From now on nothing passes on the connections that stand; new ones are well."""
        self._loop.call_soon_threadsafe(lambda: [flow.clear() for flow in self._flows])

    def thaw(self):
        """All pass again, what was held up first."""
        self._loop.call_soon_threadsafe(lambda: [flow.set() for flow in self._flows])

    def _work(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._up.set()
        await self._over.wait()
        server.close()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    async def _pass_on(self, reader, writer):
        self.connections += 1
        mood, budget = self.mood, [float("inf")]
        if mood != "well":
            budget = [self._chance.randrange(1500, 90_000)]
        flow = asyncio.Event()
        flow.set()
        self._flows.append(flow)
        ends, ways = [writer], []
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
            ends.append(far_writer)
            ways.append(asyncio.create_task(self._pump(reader, far_writer, mood, budget, flow)))
            ways.append(asyncio.create_task(self._pump(far_reader, writer, mood, budget, flow)))
            ways.append(asyncio.create_task(self._over.wait()))
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except OSError:  # nobody there
            pass
        finally:
            for way in ways:
                way.cancel()
            for end in ends:
                end.transport.abort()
            await asyncio.gather(*ways, *(end.wait_closed() for end in ends), return_exceptions=True)

    async def _pump(self, reader, writer, mood, budget, flow):
        with contextlib.suppress(OSError):
            while data := await reader.read(HASTE):
                await flow.wait()
                budget[0] -= len(data)
                if budget[0] < 0:
                    self.mishaps += 1
                    if mood == "cut":
                        return
                    if mood == "stall":
                        await self._over.wait()
                    data += data  # doubled
                    budget[0] = float("inf")
                writer.write(data)
                await writer.drain()
