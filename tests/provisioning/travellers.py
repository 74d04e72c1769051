"""A booth that may meet another process of the server with each request, as after a restart."""

from tests.provisioning.conftest import Phone


class Traveller(Phone):
    """Fetches a nonce whenever it is told to, as booth-sync does; counts the answers that it got."""

    good = 0

    def plain(self, *what, **how):
        answer = super().plain(*what, **how)
        self.good += answer.status < 300
        return answer

    def ask(self, *what, **how):
        while True:
            answer = super().ask(*what, **how)
            if answer.status != 401:
                return answer
            self.nonce = ""
