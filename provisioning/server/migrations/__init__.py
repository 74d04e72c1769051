"""The steps by which the tables came to be as they are; each runs once, when the server starts."""
