"""HTTP/1.1 as the booth API speaks it: a no to what is no HTTP at all is a refusal like any other."""

from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from provisioning.server import answers


class BoothProtocol(H11Protocol):
    """uvicorn's own, but for what it says where no request comes of what is sent."""

    def send_400_response(self, msg: str) -> None:
        """Say so, in JSON, and hang up."""
        no = answers.refusal(HTTPStatus.BAD_REQUEST, "http", msg)
        headers = [*no.raw_headers, (b"connection", b"close")]
        for event in (
            h11.Response(status_code=no.status_code, headers=headers, reason=b"Bad Request"),
            h11.Data(data=bytes(no.body)),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
