"""The data path of the edge: from a parsed request to its answer. Knows no configuration format and no credential."""

from .contracts import Identity, Limit, Recorder, Route, RouteTable, TableProvider, Verdict
from .exchange import EdgeExchange
from .identity_headers import IdentityHeaders
from .paths import compile_rewrite, normalise_path
from .proxy import Proxy, ProxySettings
from .upstreams import NodeSpec, Upstream, UpstreamSpec

__all__ = [
    "EdgeExchange",
    "Identity",
    "IdentityHeaders",
    "Limit",
    "NodeSpec",
    "Proxy",
    "ProxySettings",
    "Recorder",
    "Route",
    "RouteTable",
    "TableProvider",
    "Upstream",
    "UpstreamSpec",
    "Verdict",
    "compile_rewrite",
    "normalise_path",
]
