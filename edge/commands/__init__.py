"""The verbs of the command `edge`, one a file."""
