import fc from 'fast-check';
import { hostileBody, hostileQuery, hostileText } from '../api/hostile.js';
import { methodOf, pathOf, ROUTES } from '../api/routes.js';
import type { Tenant } from '../api/tenant.js';
import { asForm, forms } from './forms.js';
import type { Schema, SchemaValues } from './schema-values.js';

/** A request as it goes over the wire, but for who asks. */
export interface FuzzRequest {
  caller: 'owner' | 'other' | 'admin' | 'anonymous';
  path: string;
  headers: Record<string, string>;
  /** Text, sent as it is. */
  body?: string;
}

type Headers = Record<string, string>;

interface Parameter {
  name: string;
  in: string;
  schema?: Schema;
}

export interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

/** Lone surrogates have no encoding. */
const encoded = (text: string): string => encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd'));

const UNKNOWN_ID = '0193fd6c-0000-7000-8000-000000000001';

/** Any text that leaves the path on its route. */
const segment = fc
  .oneof(
    fc.constantFrom('%00', '%zz', '%', '0', '-1', '1.5', '9'.repeat(30), 'null', UNKNOWN_ID, 'x'.repeat(600)),
    fc.uuid(),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }).map(encoded),
  )
  .filter((text) => !/^(\.|%2e){0,2}$/i.test(text) && !text.includes('/'));

/** Requests of one route: what its documentation allows, the same with something wrong, or anything at all. */
export function requestsOf(
  route: string,
  operation: Operation,
  values: SchemaValues,
  tenant: Tenant,
): fc.Arbitrary<FuzzRequest> {
  const path = fc.tuple(pathParameters(route, tenant), queries(operation, values));
  return fc.record({
    caller: callers(route),
    path: path.map(([at, query]) => `${templated(route, at)}${query}`),
    headers: headers(operation, values),
    body: bodies(route, operation, values),
  });
}

const callers = (route: string): fc.Arbitrary<FuzzRequest['caller']> =>
  fc.oneof(
    { weight: 8, arbitrary: fc.constant(route.includes(' /admin/') ? ('admin' as const) : ('owner' as const)) },
    { weight: 1, arbitrary: fc.constantFrom('other' as const, 'admin' as const, 'anonymous' as const) },
  );

/** Of the tenant's own things, mostly. */
function pathParameters(route: string, tenant: Tenant): fc.Arbitrary<Record<string, string>> {
  const own = ROUTES[route]?.at?.(tenant) ?? {};
  const each = Object.entries(own).map(([name, value]) => [
    name,
    fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: segment }),
  ]);
  return fc.record(Object.fromEntries(each) as Record<string, fc.Arbitrary<string>>);
}

/** Segments are written as they are: some are no proper encoding. */
function templated(route: string, at: Record<string, string>): string {
  const marked = Object.fromEntries(Object.keys(at).map((name, index) => [name, `fuzz${index}fuzz`]));
  return Object.values(at).reduce(
    (path, value, index) => path.replace(`fuzz${index}fuzz`, () => value),
    pathOf(route, marked),
  );
}

function queries({ parameters = [] }: Operation, values: SchemaValues): fc.Arbitrary<string> {
  const documented = parameters.filter(({ in: place }) => place === 'query');
  const fields = documented.map(({ name, schema }) => [name, values.of(schema ?? {}, name)]);
  const sound = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] });
  const written = sound.map((query) =>
    Object.entries(query).map(([name, value]) => `${encoded(name)}=${encoded(String(value))}`).join('&'),
  );
  const none = { weight: 4, arbitrary: fc.constant('') };
  const any = fc.oneof({ weight: 3, arbitrary: written }, { weight: 1, arbitrary: hostileQuery });
  return fc.oneof(none, { weight: 4, arbitrary: any.map((query) => (query === '' ? '' : `?${query}`)) });
}

/** Not `Prefer`: nobody is asked to wait. */
const HEADERS = [
  'if-none-match', 'range', 'last-event-id', 'accept', 'x-request-id', 'accept-encoding', 'origin', 'content-encoding',
];

function headers({ parameters = [], requestBody }: Operation, values: SchemaValues): fc.Arbitrary<Headers> {
  const usual = requestBody?.content['multipart/form-data'] ? asForm : {};
  const documented = parameters.filter(({ in: place, name }) => place === 'header' && name !== 'Prefer');
  const fields = documented.map(({ name, schema }) => [
    name.toLowerCase(),
    values.of(schema ?? {}).map((value) => String(value).replace(/[^\x20-\x7e]/g, '?')),
  ]);
  const sound = fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<string>>, { requiredKeys: [] });
  const names = [...HEADERS, ...documented.map(({ name }) => name.toLowerCase())];
  const chosen = fc.oneof(
    { weight: 6, arbitrary: fc.constant<Headers>({}) },
    { weight: 2, arbitrary: sound as fc.Arbitrary<Headers> },
    { weight: 2, arbitrary: fc.dictionary(fc.constantFrom(...names), hostileText, { maxKeys: 2 }) },
  );
  return chosen.map((given) => ({ ...usual, ...given }));
}

function bodies(
  route: string,
  { requestBody }: Operation,
  values: SchemaValues,
): fc.Arbitrary<string | undefined> {
  if (methodOf(route) === 'GET') return fc.constant(undefined);
  if (requestBody?.content['multipart/form-data']) return forms;
  const schema = requestBody?.content['application/json']?.schema;
  if (!schema) return fc.oneof(fc.constant(undefined), hostileBody({}));
  const sound = values.of(schema);
  return fc.oneof(
    { weight: 3, arbitrary: sound.map((body) => JSON.stringify(body)) },
    { weight: 5, arbitrary: sound.chain((body) => hostileBody(Object(body) as object)) },
  );
}

