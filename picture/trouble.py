"""What a person at the command line may be told without a traceback."""


class Trouble(Exception):
    """Something that was to be expected went wrong; the message names the next step."""
