"""What is kept on the server, and how long: retention by result code, and the legal holds that it respects."""
