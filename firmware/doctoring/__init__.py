"""What `booth doctor` knows: which troubles there are, how urgent they are, and how to tell them."""
