"""`trivium up`: the whole stack as child processes of one terminal."""
