"""Text normalised and compared, and the numbers, dates, places and addresses in it."""
