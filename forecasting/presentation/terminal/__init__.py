"""What the command line prints, for a terminal of 80 columns."""
