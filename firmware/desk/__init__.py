"""A whole booth on a PC: a local web page shows the LCD and takes keys, hook and the far end."""
