"""What each action of the call flow does to the parts, on the booth's own thread."""
