"""The kinds of fact and the idioms in which running text states them, by what they are about."""
