// The OpenAPI 3.1 document: every route that is served, from the definitions where it follows from one.
import { type AnyResource, type Operation, parameterName, resources, views } from '../resources/index.ts';
import { INCLUDE_DELETED } from './crud.ts';
import { dialectOf } from './dialect.ts';
import { fieldOf } from './filters.ts';
import { ACTIONS, type ActionDescription } from './openapi-actions.ts';
import { formSchema, pageSchema, resourceSchema, sidSchema } from './openapi-schemas.ts';
import { TARGET_HEALTH } from './openapi-target-health.ts';
import type { JsonObject, Route } from './route.ts';

/** A route that follows from a definition. */
interface Generated {
  readonly definition: AnyResource;
  readonly operation: Operation;
}

const BY_DEFINITION: ReadonlyMap<string, Generated> = new Map(
  [...resources, ...views].flatMap((definition) => {
    const collection = collectionOf(definition);
    const at: Readonly<Record<Operation, string>> = {
      create: `POST ${collection}`,
      list: `GET ${collection}`,
      fetch: `GET ${collection}/:Sid`,
      update: `POST ${collection}/:Sid`,
      delete: `DELETE ${collection}/:Sid`,
    };
    return definition.operations.map((operation) => [at[operation], { definition, operation }] as const);
  }),
);

/** The whole document. A route that nobody described is in it by its path alone. */
export function openApi(
  routes: readonly Route[],
  { baseUrl = '/', version = '0' }: { readonly baseUrl?: string; readonly version?: string },
): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const path = publicPath(route);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tandem',
      version,
      description: "A self-hosted voice exchange that speaks Twilio's API. Forms in, JSON out.",
    },
    servers: [{ url: baseUrl }],
    security: [{ account: [] }],
    paths: { ...paths, ...OPEN_PATHS },
    components: {
      securitySchemes: {
        account: {
          type: 'http',
          scheme: 'basic',
          description: 'SID and token of an account, or SID and secret of an API key',
        },
      },
      schemas: {
        Error: ERROR,
        TargetHealth: TARGET_HEALTH,
        ...Object.fromEntries(
          [...resources, ...views].map((definition) => [definition.name, resourceSchema(definition)]),
        ),
      },
    },
  };
}

/** What is served to nobody in particular. */
const OPEN_PATHS: JsonObject = Object.fromEntries(
  [
    ['/healthz', 'health', 'Whether the process is alive'],
    ['/readyz', 'readiness', 'Whether calls are taken and the database answers'],
    ['/openapi.json', 'description', 'This document'],
  ].map(([path = '', operationId = '', summary = '']) => [
    path,
    {
      get: {
        operationId,
        summary,
        security: [],
        responses: { 200: json({ type: 'object' }), default: fault() },
      },
    },
  ]),
);

const ERROR = {
  type: 'object',
  properties: {
    code: { type: 'integer' },
    message: { type: 'string' },
    more_info: { type: 'string', format: 'uri' },
    status: { type: 'integer' },
  },
  required: ['code', 'message', 'more_info', 'status'],
};

function fault(): JsonObject {
  return {
    description: 'Refused, with the reason',
    content: { 'application/json': { schema: ref('Error') } },
  };
}

function collectionOf(definition: AnyResource): string {
  return dialectOf(definition).collection(definition, { account: ':AccountSid', parent: ':ParentSid' });
}

/** `/2010-04-01/Accounts/:AccountSid/Calls` → `/2010-04-01/Accounts/{AccountSid}/Calls.json`. */
function publicPath({ path, isBare = false }: Route): string {
  const suffix = path.startsWith('/2010-04-01/') && !isBare ? '.json' : '';
  return path.replaceAll(/:(\w+)/g, '{$1}') + suffix;
}

function operationOf(route: Route): JsonObject {
  const key = `${route.method} ${route.path}${route.isBare ? ' (bare)' : ''}`;
  const generated = BY_DEFINITION.get(key);
  const parameters = pathParameters(route.path, generated?.definition);
  return generated ? generatedOperation(generated, parameters) : actionOperation(key, parameters);
}

function pathParameters(path: string, definition?: AnyResource): readonly JsonObject[] {
  const prefixes = new Map([
    ['AccountSid', 'AC'],
    ['ParentSid', definition?.parent?.sid],
  ]);
  return [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => {
    const prefix = prefixes.get(name);
    const schema = prefix === undefined ? { type: 'string' } : sidSchema(prefix);
    return { name, in: 'path', required: true, schema };
  });
}

function generatedOperation({ definition, operation }: Generated, path: readonly JsonObject[]): JsonObject {
  const { name } = definition;
  const isWrite = operation === 'create' || operation === 'update';
  const query = [
    ...(operation === 'list' ? [...filterParameters(definition), ...PAGE_PARAMETERS] : []),
    ...(isWrite ? [] : deletionParameters(definition)),
  ];
  return {
    operationId: `${operation}${name}`,
    summary: `${operation.charAt(0).toUpperCase()}${operation.slice(1)} ${name}`,
    tags: [name],
    parameters: [...path, ...query],
    ...(isWrite && { requestBody: form(formSchema(definition, operation)) }),
    responses: { ...success(definition, operation), default: fault() },
  };
}

function success(definition: AnyResource, operation: Operation): JsonObject {
  const shown = ref(definition.name);
  if (operation === 'delete') return { 204: { description: 'Deleted' } };
  if (operation === 'list') return { 200: json(pageSchema(definition, shown)) };
  return { [operation === 'create' ? 201 : 200]: json(shown) };
}

function actionOperation(key: string, path: readonly JsonObject[]): JsonObject {
  const action: ActionDescription = ACTIONS[key] ?? { id: key.replaceAll(/\W+/g, '_'), summary: key };
  const { id, summary, status = 200 } = action;
  const answer = status === 204 ? { description: 'Done' } : contentOf(action);
  const query = words(action.query).map(({ name }) => ({ name, in: 'query', schema: { type: 'string' } }));
  return {
    operationId: id,
    summary,
    parameters: [...path, ...query],
    ...(action.form && { requestBody: form(wordsSchema(action.form)) }),
    responses: { [status]: answer, default: fault() },
  };
}

function contentOf(action: ActionDescription): JsonObject {
  if (!action.types) return json(answerSchema(action));
  const content = Object.fromEntries(words(action.types).map(({ name }) => [name, { schema: {} }]));
  return { description: 'Done', content };
}

function answerSchema({ schema, pageOf }: ActionDescription): JsonObject {
  if (pageOf) return pageSchema(pageOf, ref(pageOf.name));
  return schema ? ref(schema) : { type: 'object' };
}

const words = (text = '') =>
  text
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => ({ name: word.replace('*', ''), required: word.endsWith('*') }));

function wordsSchema(text: string): JsonObject {
  const required = words(text).filter((word) => word.required);
  return {
    type: 'object',
    properties: Object.fromEntries(words(text).map(({ name }) => [name, { type: 'string' }])),
    ...(required.length > 0 && { required: required.map(({ name }) => name) }),
  };
}

const PAGE_PARAMETERS: readonly JsonObject[] = [
  { name: 'PageSize', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 1000, default: 50 } },
  { name: 'Page', in: 'query', schema: { type: 'integer', minimum: 0 } },
  { name: 'PageToken', in: 'query', schema: { type: 'string' } },
];

function filterParameters(definition: AnyResource): readonly JsonObject[] {
  return (definition.filters ?? []).flatMap((field) => {
    const name = parameterName(field);
    const isDate = fieldOf(definition, field)?.column === 'dateTime';
    const names = isDate ? [name, `${name}<`, `${name}>`] : [name];
    return names.map((each) => ({ name: each, in: 'query', schema: { type: 'string' } }));
  });
}

/** Whether deleted rows are meant too, where they are kept. */
const deletionParameters = ({ softDeletion }: AnyResource): readonly JsonObject[] =>
  softDeletion === undefined ? [] : [{ name: INCLUDE_DELETED, in: 'query', schema: { type: 'boolean' } }];

function ref(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}

function json(schema: JsonObject): JsonObject {
  return { description: 'Done', content: { 'application/json': { schema } } };
}

const form = (schema: JsonObject): JsonObject => ({
  content: { 'application/x-www-form-urlencoded': { schema } },
});
