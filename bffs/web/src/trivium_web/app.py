"""The web app: its services, its graph, its endpoint, wired together."""

from fastapi import FastAPI
from starlette.routing import Route
from starlette.types import Scope

from trivium_common.app.factory import create_app
from trivium_common.app.gate import caller_of
from trivium_web.context import RequestContext
from trivium_web.endpoint.documents import DocumentPolicy, Documents
from trivium_web.endpoint.http import GraphQLEndpoint
from trivium_web.endpoint.limits import OperationLimits
from trivium_web.schema import build_schema, get_executable
from trivium_web.services import Services
from trivium_web.settings import WebSettings


def build_app(settings: WebSettings) -> FastAPI:
    """The app with the GraphQL endpoint at /graphql."""
    services = Services(settings)
    schema = get_executable(build_schema())
    documents = Documents(schema, DocumentPolicy(OperationLimits(), is_schema_hidden=settings.is_production))

    def make_context(scope: Scope) -> RequestContext:
        return RequestContext(caller_of(scope), services)

    app = create_app(settings.service, settings, [], upstreams=services.all)
    endpoint = GraphQLEndpoint(schema, documents, make_context)
    app.router.routes.append(Route("/graphql", endpoint, include_in_schema=False))
    return app
