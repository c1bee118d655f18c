"""GraphQL as clients 1.5 to 1.8 speak it, parsed and run by graphql-core, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLResolveInfo,
    GraphQLSchema,
    InlineFragmentNode,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    build_schema,
    execute_sync,
    parse,
    specified_rules,
    validate,
)

from zooselect.serve.wire import (
    UrlOf,
    benchmark_rows,
    file_rows,
    filtered,
    model_row,
    training_rows,
)
from zooselect.serve.zoo import Zoo

#: Bounds of a query: the old clients send about 100 tokens, one root field, depth 3.
MAX_TOKENS = 1000
MAX_FIELDS = 200
MAX_ROOTS = 4
MAX_DEPTH = 6
#: Bound of an answer, in values. A search that finds 10,000 models comes to 20,000, all that
#: ranking needs of 3,000 models with 15 files each to about 200,000; an answer of the bound
#: takes two or three seconds.
MAX_VALUES = 400_000

_MESSAGE = 500  # characters
_RULES = (*specified_rules, NoSchemaIntrospectionCustomRule)

_Rows = TypeVar("_Rows", bound=Sequence[Any])

_SCHEMA = """
"An integer of any size."
scalar Count
type Query {
  models(
    domain: String, task: String, architecture: String, subArchitecture: String,
    framework: String, repo: String, sourceDataset: String, trainingScheme: String,
    sparseTag: String, releaseVersion: String, repoName: String, stub: String,
    modelId: String, isPubliclyVisible: Boolean
  ): [Model!]!
  files(displayName: String, modelId: String, version: Int): [File!]!
  benchmarkResults(batchSize: Int, deviceInfo: String, modelId: String): [BenchmarkResult!]!
  trainingResults(datasetType: String, recordedUnits: String, modelId: String): [TrainingResult!]!
}
type Model {
  modelId: String, stub: String, domain: String, domainDisplayName: String, task: String,
  taskDisplayName: String, architecture: String, subArchitecture: String, framework: String,
  repo: String, repoDisplayName: String, sourceDataset: String, trainingDataset: String,
  trainingScheme: String, sparseTag: String, releaseVersion: String, repoName: String,
  repoNamespace: String, displayName: String, displayDescription: String, baseModelId: String,
  downloadCount: Int, isPubliclyVisible: Boolean, modelOnnxSizeCompressedBytes: Count,
  modelOnnxSizeCompressionRatio: Float, modelCardDownloadUrl: String, tags: [Tag!]!,
  similarModelsRepoNames: [RepoName!]!, analysis: Analysis,
  files(version: Int, displayName: String): [File!]!
  benchmarkResults(batchSize: Int, deviceInfo: String): [BenchmarkResult!]!
  trainingResults(datasetType: String, recordedUnits: String): [TrainingResult!]!
}
type File {
  displayName: String, downloadUrl: String, fileSize: Count, fileType: String, modelId: String,
  fileId: String, md5: String, version: Int, checkpoint: Boolean, created: String,
  modified: String, repoTagId: String, s3VersionId: String
}
type BenchmarkResult {
  benchmarkResultId: String, batchSize: Int, deviceInfo: String, numCores: Int,
  numStreams: Int, recordedUnits: String, recordedValue: Float, runtime: String, scenario: String
}
type TrainingResult {
  datasetName: String, datasetType: String, recordedUnits: String, recordedValue: Float,
  recordedFormat: String, primaryResult: Boolean
}
type Tag { displayName: String }
type RepoName { displayName: String, repoNamespace: String }
type Analysis { analysisId: String }
"""


class Answer(NamedTuple):
    """An HTTP status and a JSON body."""

    status: int
    body: bytes


@cache
def _schema() -> GraphQLSchema:
    return build_schema(_SCHEMA)


def answer(zoo: Zoo, body: bytes, url_of: UrlOf) -> Answer:
    """Answer the body of a POST to `/v2/graphql`.

    On success the answer has no key `errors`: old clients take even an empty one for a
    failure.
    """
    try:
        query, variables, operation = _request(body)
        document = parse(query, max_tokens=MAX_TOKENS)
        fields = _check_bounds(document)
        errors: list[Any] = list(validate(_schema(), document, _RULES, max_errors=5))
    except (ValueError, RecursionError) as error:
        return _refused([GraphQLError(str(error) or "the query is nested too deep")])
    except GraphQLError as error:
        return _refused([error])
    if errors:
        return _refused(errors)
    result = execute_sync(
        _schema(),
        document,
        root_value=_Root(zoo, url_of, fields),
        variable_values=variables,
        operation_name=operation,
    )
    if result.errors:
        return _refused(result.errors)
    return Answer(200, json.dumps({"data": result.data}).encode())


class _Root:
    """Resolvers of the query's root fields; `MAX_VALUES` are all they give."""

    def __init__(self, zoo: Zoo, url_of: UrlOf, fields: int) -> None:
        self._zoo = zoo
        self._url_of = url_of
        self._fields = fields
        self._left = MAX_VALUES

    def models(self, info: GraphQLResolveInfo[Any], **arguments: Any) -> list[dict[str, Any]]:
        chosen = self._counted(info, self._zoo.select(arguments))
        rows = [model_row(self._zoo, model, self._url_of) for model in chosen]
        for row in rows:
            row |= {key: self._counting(value) for key, value in row.items() if callable(value)}
        return rows

    def files(
        self, info: GraphQLResolveInfo[Any], version: int | None = None, **wanted: Any
    ) -> list[dict[str, Any]]:
        rows = [
            row
            for model in self._zoo.models
            for row in file_rows(model, self._url_of, version_2=version != 1)
        ]
        return self._counted(info, filtered(rows, wanted))

    def benchmarkResults(  # noqa: N802
        self, info: GraphQLResolveInfo[Any], **wanted: Any
    ) -> list[dict[str, Any]]:
        return self._rows(info, benchmark_rows, wanted)

    def trainingResults(  # noqa: N802
        self, info: GraphQLResolveInfo[Any], **wanted: Any
    ) -> list[dict[str, Any]]:
        return self._rows(info, training_rows, wanted)

    def _rows(
        self, info: GraphQLResolveInfo[Any], rows_of: Any, wanted: dict[str, Any]
    ) -> list[dict[str, Any]]:
        model_id = wanted.pop("modelId", None)
        models = [one for one in self._zoo.models if model_id in (None, one.model_id)]
        rows = [row for model in models for row in rows_of(model)]
        return self._counted(info, filtered(rows, wanted))

    def _counting(self, rows_of: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
        return lambda info, **wanted: self._counted(info, rows_of(info, **wanted))

    def _counted(self, info: GraphQLResolveInfo[Any], rows: _Rows) -> _Rows:
        self._left -= len(rows) * self._fields_of(info)
        if self._left < 0:
            raise GraphQLError("the answer is too large: ask for fewer models or fewer fields")
        return rows

    def _fields_of(self, info: GraphQLResolveInfo[Any]) -> int:
        """Fields asked of each row; all of the query's, where fragments hide them."""
        nodes = [
            one
            for field in info.field_nodes
            for one in (field.selection_set.selections if field.selection_set else ())
        ]
        plain = all(isinstance(node, FieldNode) for node in nodes)
        return len(nodes) if plain else self._fields


def _request(body: bytes) -> tuple[str, dict[str, Any], str | None]:
    """Return query, variables and operation name of a request body.

    Raises:
        ValueError: not a JSON object with a text `query`.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    query = document.get("query") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(query, str):
        raise ValueError('the body is not a JSON object with a "query"')
    variables, operation = document.get("variables"), document.get("operationName")
    return (
        query,
        variables if isinstance(variables, dict) else {},
        operation if isinstance(operation, str) else None,
    )


def _check_bounds(document: DocumentNode) -> int:
    """Refuse a query that asks for more than any old client does; return its fields.

    Raises:
        GraphQLError: too deep, too many fields, too many root fields.
    """
    fragments = {
        one.name.value: one
        for one in document.definitions
        if isinstance(one, FragmentDefinitionNode)
    }
    fields = 0

    def visit(selections: SelectionSetNode | None, depth: int) -> None:
        nonlocal fields
        if depth > MAX_DEPTH:
            raise GraphQLError(f"the query is nested deeper than {MAX_DEPTH}")
        for node in selections.selections if selections else ():
            fields += 1
            if fields > MAX_FIELDS:
                raise GraphQLError(f"the query asks for more than {MAX_FIELDS} fields")
            if isinstance(node, FragmentSpreadNode):
                fragment = fragments.get(node.name.value)
                visit(fragment.selection_set if fragment else None, depth + 1)
            elif isinstance(node, (FieldNode, InlineFragmentNode)):
                visit(node.selection_set, depth + 1)

    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            if len(operation.selection_set.selections) > MAX_ROOTS:
                raise GraphQLError(f"the query has more than {MAX_ROOTS} root fields")
            visit(operation.selection_set, 1)
    return fields


def _refused(errors: list[Any]) -> Answer:
    # A message quotes the query; nobody needs all of a giant one back.
    messages = [{**error.formatted, "message": error.message[:_MESSAGE]} for error in errors]
    return Answer(400, json.dumps({"data": None, "errors": messages}).encode())
