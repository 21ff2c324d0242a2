"""What the command refuses: one line that says what to do, and exit code 2."""

EXIT_REFUSED = 2


class Refused(Exception):
    """The command cannot go on; the message is one line for a person and says what to do."""
