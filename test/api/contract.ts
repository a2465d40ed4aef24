import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { outcomeOf, type Answered } from './calls.js';
import { envelopeFaults, faultsIn } from './envelope.js';
import { methodOf } from './routes.js';

type Schema = Record<string, unknown>;
type Content = Record<string, { schema: Schema }>;

interface Operation {
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}

export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema & { properties?: Schema }> };
}

/** What `/openapi.json` promises, to hold answers against. */
export class Contract {
  /** `GET /jobs/:id 404 JOB_NOT_FOUND`: every way in which a route has answered so far. */
  readonly seen = new Set<string>();
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(readonly document: OpenApi) {
    formats.default(this.ajv);
    this.ajv.addSchema(closed(document), 'openapi');
  }

  static async of(url: string): Promise<Contract> {
    return new Contract((await (await fetch(`${url}/openapi.json`)).json()) as OpenApi);
  }

  /** Every way to answer that a route documents, as in `seen`. */
  promisesOf(route: string): string[] {
    return Object.entries(this.operationOf(route).responses).flatMap(([status, { description }]) =>
      /^[A-Z_]+(, [A-Z_]+)*$/.test(description)
        ? description.split(', ').map((code) => `${route} ${status} ${code}`)
        : [`${route} ${status}`],
    );
  }

  /** What is wrong with the answer of a route: nothing, when it is as documented. */
  faultsOf(route: string, answer: Answered): string[] {
    this.seen.add(`${route} ${outcomeOf(answer)}`);
    const response = this.operationOf(route).responses[answer.status];
    if (!response) return [`${outcomeOf(answer)} is not documented`];
    return [...this.contentFaults(route, response.content, answer), ...envelopeFaults(answer)];
  }

  /** What the documentation says against a request's JSON body. */
  bodyFaults(route: string, body: unknown): string[] {
    const content = this.operationOf(route).requestBody?.content['application/json'];
    if (!content) return ['no JSON body is documented'];
    return this.schemaFaults(
      pointerTo(route, 'requestBody', 'content', 'application/json', 'schema'),
      body,
    );
  }

  /** What is wrong with `value` as one of the documented types. */
  typeFaults(name: string, value: unknown): string[] {
    return this.schemaFaults(`openapi#/components/schemas/${name}`, value);
  }

  private contentFaults(route: string, content: Content | undefined, answer: Answered): string[] {
    const type = answer.headers.get('content-type')?.split(';')[0] ?? 'none';
    if (!content) return answer.text === '' ? [] : [`${answer.status} has an undocumented body`];
    const documented = [type, type.replace(/\/.*/, '/*'), '*/*'].find((name) => content[name]);
    if (!documented)
      return [`${answer.status} is ${type}, but documented as ${Object.keys(content).join(', ')}`];
    if (!answer.json) return [];
    const place = pointerTo(route, 'responses', String(answer.status), 'content', documented, 'schema');
    return this.schemaFaults(place, answer.json);
  }

  private schemaFaults(pointer: string, value: unknown): string[] {
    const validate = this.validators.get(pointer) ?? this.ajv.compile({ $ref: pointer });
    this.validators.set(pointer, validate);
    return validate(value) ? [] : faultsIn(validate);
  }

  private operationOf(route: string): Operation {
    const operation = this.document.paths[documentedPath(route)]?.[methodOf(route).toLowerCase()];
    if (!operation) throw new Error(`${route} is not documented`);
    return operation;
  }
}

/** The document with all its types closed: a field that is not documented is a fault as well. */
function closed(document: OpenApi): OpenApi {
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [
    name,
    // `Failure` is narrowed by what stands beside it.
    schema.properties && name !== 'Failure' ? { additionalProperties: false, ...schema } : schema,
  ]);
  return { ...document, components: { schemas: Object.fromEntries(schemas) } };
}

/** `/jobs/{id}`; the rest of a path is a parameter there. */
const documentedPath = (route: string): string =>
  route
    .split(' ')[1]!
    .replace('*', ':path')
    .replace(/:(\w+)/g, '{$1}');

/** JSON pointer into a route's operation. */
function pointerTo(route: string, ...names: string[]): string {
  const path = ['paths', documentedPath(route), methodOf(route).toLowerCase(), ...names];
  const escaped = path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1'));
  return `openapi#/${escaped.map(encodeURIComponent).join('/')}`;
}
