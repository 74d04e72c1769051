"""Devices: telephone line, handset, keys, hook, screen, lamps. Knows nothing of customers, rules or servers."""
