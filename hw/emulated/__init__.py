"""The same devices without hardware, each at the far end of a real interface; imports nothing of the drivers."""
