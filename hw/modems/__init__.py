"""One data table for each modem family; no code that branches on a vendor."""
