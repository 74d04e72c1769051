"""What the LCD shows: a scene becomes a view, a view becomes pixels or characters. All of it is pure."""
