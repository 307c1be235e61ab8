"""The service: it runs the flows every week on one machine; and the commands that start and stop it."""
