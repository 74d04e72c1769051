"""What an action of the call flow came to: events that the booth tells itself, stepped at once."""

from hw.events import Event


class Outcome(Event):
    """What an action came to."""

    __slots__ = ()


class Cleared(Outcome):
    """The guard allows the call this moment and the handset is up, or the number is an emergency one."""


class Armed(Outcome):
    """The guard allows the call; the handset is still down."""


class Warned(Outcome):
    """The guard allows the call after one more key."""


class Reasoned(Outcome):
    """The agent has said why a number that is on no list is dialled."""


class Refused(Outcome):
    """The guard forbids the call."""


class ResultOwed(Outcome):
    """The last call's result must be keyed first."""


class LogInWanted(Outcome):
    """Nobody is logged in."""


class OverrideAsked(Outcome):
    """The block is one that a supervisor may lift here."""


class NotDialled(Outcome):
    """The card takes nothing more, so the attempt could not be written down and was not made."""


class NotTaken(Outcome):
    """The card takes nothing more, so the incoming call could not be written down and was not answered."""


class Matched(Outcome):
    """The keyed digits lead to a customer."""


class NoCustomer(Outcome):
    """There is no customer to show."""


class Complained(Outcome):
    """The call was marked as a complaint."""


class Reconciled(Outcome):
    """The complaint mark was taken back."""


class Saved(Outcome):
    """The result is on disk."""


class NothingOwed(Outcome):
    """No call waits for a result."""


class PinWanted(Outcome):
    """A menu item wants a PIN first."""


class PinAccepted(Outcome):
    """What the PIN was for is done."""


class Left(Outcome):
    """The last key led out of the menu."""


class TimedOut(Event):
    """The state's time (callflow.TIMES) is over."""
