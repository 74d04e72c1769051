"""Everything off the booth: keys, tokens, recordings, the server."""
