"""What can go wrong, by whose fault: the world's (shown, retried) or ours (crash, log, restart)."""


class HardwareError(Exception):
    """The world's fault: a device is away, silent or talks nonsense. Base class of all that hw lets out."""


class LineError(HardwareError):
    """The telephone line could not do what it was asked."""


class PortLost(LineError, OSError):
    """The serial port went away under us: the modem was unplugged or re-enumerated."""


class ModemTimeout(LineError, TimeoutError):
    """The modem did not answer a command in time."""


class UnexpectedReply(LineError, ValueError):
    """The modem answered something that this command does not allow."""


class AudioError(HardwareError):
    """The sound card or the modem's audio port could not be opened or went away."""


class WiringError(HardwareError, ValueError):
    """device.toml asks for hardware that we do not know or that is not there."""


class MisuseError(RuntimeError):
    """We called a driver in a state that forbids it: our bug, not the world's, so not a HardwareError."""
