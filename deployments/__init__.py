"""The service: what runs the flows every week on one machine, and the commands that bring it up and down."""
