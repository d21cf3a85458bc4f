"""Rules that write a function on fewer lines."""
