"""The words of the status page: what its lines are called, and what they can say."""

from firmware.text.catalogue import mark

STATUS: dict[str, str] = {
    "sync": mark("Not synced"),
    "server": mark("Server"),
    "contact": mark("Last contact"),
    "pending-since": mark("Waiting since"),
    "pending": mark("Waiting for sync"),
    "kept-back": mark("Kept back"),
    "card": mark("Card"),
    "card-full-in": mark("Card full in (days)"),
    "modem": mark("Modem"),
    "sim": mark("SIM"),
    "network": mark("Network"),
    "signal": mark("Signal"),
    "gaps": mark("Sound gaps, last/all"),
    "impaired": mark("Line impaired"),
    "version": mark("Version"),
    "booth": mark("Booth"),
    "agent": mark("Agent"),
    "clock": mark("Clock"),
    "line": mark("Line"),
    "list": mark("Call list"),
    "recordings": mark("Recordings"),
}
SYNC_ERRORS: dict[str, str] = {
    "server-down": mark("out of reach"),
    "server-silent": mark("does not answer"),
    "server-busy": mark("is overloaded"),
    "server-full": mark("has no room"),
    "server-broken": mark("in trouble"),
    "tls": mark("no secure line"),
    "wrong-pin": mark("not our server"),
    "unknown-version": mark("other version"),
    "not-known": mark("booth not known"),
    "revoked": mark("booth is revoked"),
    "refused": mark("refused a record"),
    "card": mark("card not writable"),
}
"""Why sync gets no further, by firmware.syncing.faults' codes."""
IMPAIRED: dict[str, str] = {
    "the modem refused its sound at first: it will be reset after the call": mark("sound late: restart"),
    "the modem has no full duplex: talk on the handset at its own jack": mark("talk at modem's jack"),
    "the modem's supply voltage is out of bounds: it needs a stronger power supply": mark("wrong supply voltage"),
    "firmware B01 drops every VoLTE call; B07 does not": mark("B01 drops VoLTE call"),
}
"""What a line complains of that works all the same, by what the driver says, short enough for a line of the status page."""
STATUS_VALUES: dict[str, str] = (
    SYNC_ERRORS
    | IMPAIRED
    | {
        "unheard": mark("not heard for long"),
        "yes": mark("yes"),
        "no": mark("no"),
        "ok": mark("all right"),
        "never": mark("never"),
        "unknown": mark("unknown"),
        "ready": mark("ready"),
        "none": mark("none"),
        "full": mark("full"),
        "keyed": mark("keyed by hand"),
        "network": mark("from the network"),
        "server": mark("from the server"),
        "system": mark("from the system"),
        "synchronised": mark("synchronised"),
    }
)
