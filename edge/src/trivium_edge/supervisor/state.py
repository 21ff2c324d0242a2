"""What the supervisor knows beyond its workers: the file, the last refused reload, whether the edge drains."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class EdgeState:
    """Shared by reloading, status, metrics and admin; changed on the event loop only."""

    config_path: str
    is_draining: bool = False
    reload_problem: str | None = None
    reload_failures: int = 0
    _issuers_seen: set[str] = field(default_factory=set)

    def has_had_keys(self, issuer: str, is_ready: bool) -> bool:
        """Whether the edge has ever had keys of `issuer`; `is_ready` says whether it has them now."""
        if is_ready:
            self._issuers_seen.add(issuer)
        return issuer in self._issuers_seen
