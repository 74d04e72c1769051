"""What keeps a server well: backup, restore, check, measures, quotas, logs."""
