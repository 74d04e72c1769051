"""The families of voice modems, one data table each."""
