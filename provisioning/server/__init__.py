"""The provisioning server, which is also the central server: booths, lists, calls, recordings, facts."""
