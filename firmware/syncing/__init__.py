"""What booth-sync is made of. It touches no device, and only here does the booth speak to a network."""
