"""A device acts for itself alone: the edge's identity says which one it is."""

from trivium_common.auth.edge_identity import EdgeIdentity
from trivium_common.errors import Forbidden


def require_own_device(caller: EdgeIdentity, device_id: str) -> None:
    """Pass when the caller is `device_id`.

    Raises: Forbidden, whether or not the other device exists.
    """
    if caller.subject != device_id:
        raise Forbidden("a device sees and reports only itself")
