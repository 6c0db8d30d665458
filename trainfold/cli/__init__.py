"""The command line. Importing it is quick: what is slow is imported where it is used."""
