"""The supervisor's pages: log-in, booths, calls, one call, call lists, and the lift of a refusal."""
