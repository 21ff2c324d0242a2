"""From query text to a checked document: parsed, within limits, valid. Good ones are remembered."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    parse,
    specified_rules,
    validate,
)

from trivium_web.endpoint.limits import LimitExceeded, OperationLimits, check_limits

MAX_REMEMBERED_CHARS = 4 * 1024 * 1024


class InvalidDocument(Exception):
    """The text is no document that this schema can execute."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class DocumentPolicy:
    """What a document may be; production hides the schema."""

    limits: OperationLimits
    is_schema_hidden: bool


class Documents:
    """The documents of one schema. Only good ones are kept, so that bad ones cannot push them out."""

    def __init__(self, schema: GraphQLSchema, policy: DocumentPolicy) -> None:
        self._schema = schema
        self._policy = policy
        self._rules = [*specified_rules]
        if policy.is_schema_hidden:
            self._rules.append(NoSchemaIntrospectionCustomRule)
        self._known: OrderedDict[str, DocumentNode] = OrderedDict()
        self._known_chars = 0

    @property
    def is_schema_hidden(self) -> bool:
        """Whether error texts must not suggest names of the schema."""
        return self._policy.is_schema_hidden

    def find(self, text: str) -> DocumentNode:
        """The document for `text`.

        Raises: InvalidDocument; LimitExceeded.
        """
        document = self._known.get(text)
        if document is None:
            document = self._check(text)
            self._remember(text, document)
        else:
            self._known.move_to_end(text)
        return document

    def _check(self, text: str) -> DocumentNode:
        limits = self._policy.limits
        if len(text) > limits.max_query_chars:
            raise LimitExceeded("characters", len(text), limits.max_query_chars)
        try:
            document = parse(text, max_lexical_tokens=limits.max_tokens, max_comments=limits.max_tokens)
        except GraphQLError as error:
            raise InvalidDocument("GRAPHQL_PARSE_FAILED", [error]) from error
        # Sizes come before validation, some of whose rules take quadratic time.
        check_limits(document, limits)
        errors = validate(
            self._schema,
            document,
            self._rules,
            max_errors=limits.max_validation_errors,
            hide_suggestions=self._policy.is_schema_hidden,
        )
        if errors:
            raise InvalidDocument("GRAPHQL_VALIDATION_FAILED", errors)
        return document

    def _remember(self, text: str, document: DocumentNode) -> None:
        self._known[text] = document
        self._known_chars += len(text)
        while self._known_chars > MAX_REMEMBERED_CHARS:
            oldest, _ = self._known.popitem(last=False)
            self._known_chars -= len(oldest)
