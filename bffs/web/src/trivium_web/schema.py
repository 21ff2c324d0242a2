"""The graph: the three modules of `subgraphs/` as one schema."""

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from trivium_web.subgraphs.orders import OrdersQuery
from trivium_web.subgraphs.products import ProductsQuery
from trivium_web.subgraphs.users import UsersQuery
from trivium_web.values import DATE_TIME, DateTime


@strawberry.type(description="Where every query starts.")
class Query(UsersQuery, ProductsQuery, OrdersQuery):
    """A new module adds its own query class to this line."""


def build_schema() -> strawberry.Schema:
    """The schema as Strawberry knows it; `print(build_schema())` is its SDL."""
    return strawberry.Schema(Query, config=StrawberryConfig(scalar_map={DateTime: DATE_TIME}))


def get_executable(schema: strawberry.Schema) -> GraphQLSchema:
    """The graphql-core schema below it, which our endpoint executes without Strawberry's per-request parts."""
    return schema._schema  # noqa: SLF001 - Strawberry has no public way to it
