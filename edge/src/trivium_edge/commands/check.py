"""`trivium-edge check FILE [--strict]`."""

from trivium_edge.commands.output import EXIT_REFUSED, complain, count, load_or_refuse, say


def check(path: str, *, is_strict: bool) -> int:
    """Print all that is wrong with a configuration, one line each; 0 when it holds."""
    loaded = load_or_refuse(path)
    for warning in loaded.warnings:
        complain(str(warning))
    if loaded.warnings and is_strict:
        complain(f"{path}: {count(len(loaded.warnings), 'warning')}, which --strict refuses")
        return EXIT_REFUSED
    parts = (
        count(len(loaded.config.routes), "route"),
        count(len(loaded.config.upstreams), "upstream"),
        count(len(loaded.config.consumers), "consumer"),
    )
    say(f"{path}: {', '.join(parts)}: the configuration holds")
    return 0
