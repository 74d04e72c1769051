"""What a dead booth's card still holds: every recording that can be opened, and the calls that they belong to."""
