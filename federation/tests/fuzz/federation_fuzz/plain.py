"""The other side of the comparison: one plain schema over the same data, executed by graphql-core."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLResolveInfo, GraphQLSchema, execute_sync

from federation_fuzz.data import Data, Node, Session


@dataclass(frozen=True, slots=True)
class PlainSchema:
    """What clients would get if there were no subgraphs."""

    schema: GraphQLSchema
    data: Data

    def execute(
        self, document: DocumentNode, variables: Mapping[str, Any], operation_name: str | None
    ) -> ExecutionResult:
        """The answer that the federated one must equal."""
        return execute_sync(
            self.schema,
            document,
            root_value=None,
            context_value=Session(),
            variable_values=dict(variables),
            operation_name=operation_name,
            field_resolver=self._resolve,
            type_resolver=lambda node, _info, _type: node.type,
        )

    def _resolve(self, parent: Node | None, info: GraphQLResolveInfo[Any], **arguments: Any) -> Any:
        node = parent or Node(info.parent_type.name, "root")
        every = {**self.data.hidden_defaults(node.type, info.field_name), **arguments}
        session: Session = info.context
        required = self.data.required(node, info.field_name, session)
        return self.data.value(node, info.field_name, every, required, session)
