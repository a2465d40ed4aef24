import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { ErrorCode } from '#libs/errors/app-error.js';
import { failureOf, IDEMPOTENCY_KEY } from '../http/answers.js';
import { STATUS_OF } from '../http/error-status.js';
import { POLICY_EXTENSION } from '../http/policy.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & { [POLICY_EXTENSION]?: string };

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Any address can hold what no text of the database can. */
const EVERYWHERE: ErrorCode[] = ['VALIDATION_ERROR', 'RATE_LIMITED', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];
/** A body is read before a route is asked whether it takes one. */
const WITH_BODIES: ErrorCode[] = ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];

/** In the order in which a newcomer needs them. */
const TAGS = ['Workflows', 'Collections', 'Jobs', 'Assets', 'Projects', 'Credits and account', 'Operations'];
/** The bar above the page only advertises the viewer. */
const PAGE_STYLE = '.swagger-ui .topbar { display: none }';

const FAILURE = {
  type: 'object',
  description: 'Every answer that is not a success.',
  required: ['success', 'data', 'error', 'code'],
  properties: {
    success: { type: 'boolean', enum: [false] },
    data: { type: 'null' },
    error: { type: 'string', description: 'A sentence for people.' },
    code: { type: 'string', enum: Object.keys(STATUS_OF) },
    details: { description: 'Of VALIDATION_ERROR: a list of `{ field, message }`, the field as a dotted path.' },
  },
};

/** OpenAPI 3.1 of every route at `/openapi.json`, and a page to browse it at `/docs`. */
export function serveOpenApi(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, describeRoutes(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Platen: the API',
    customCss: PAGE_STYLE,
    swaggerOptions: { docExpansion: 'none', persistAuthorization: true, displayRequestDuration: true },
  });
}

/** The document that is served at `/openapi.json`. */
export function describeRoutes(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Platen')
    .setDescription('Turns a workflow into a collection of finished artworks.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An access token (JWT) or an API key (`plt_…`).' })
    .build();
  config.tags = TAGS.map((name) => ({ name }));
  const document = SwaggerModule.createDocument(app, config);
  document.components = { ...document.components, schemas: { ...describeTypes(document), Failure: FAILURE } };
  describeOperations(document);
  return document;
}

/** The compiler takes fields with a default for required. Of `Answer`, which is text already, it knows nothing. */
function describeTypes(document: OpenAPIObject): Schemas {
  const { Answer: _, ...schemas } = document.components?.schemas ?? {};
  for (const schema of Object.values(schemas)) {
    if (!('properties' in schema)) continue;
    schema.required = schema.required?.filter((name) => !('default' in Object(schema.properties?.[name])));
  }
  return schemas;
}

function describeOperations(document: OpenAPIObject): void {
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (operation) complete(operation, method);
    }
  }
}

/** Adds what follows from a route's method, policy and parameters: needed everywhere, so said once. */
function complete(operation: Operation, method: string): void {
  dropGuesses(operation);
  const policy = operation[POLICY_EXTENSION];
  operation.security = policy === 'public' ? [{}, { bearer: [] }] : [{ bearer: [] }];
  const parameters = (operation.parameters ?? []).filter((parameter) => 'in' in parameter);
  for (const parameter of parameters) if ('default' in Object(parameter.schema)) parameter.required = false;
  const codes = [...EVERYWHERE, ...(method === 'get' ? [] : WITH_BODIES)];
  if (policy !== 'public') codes.push('UNAUTHENTICATED');
  if (policy === 'admin' || policy === 'operator') codes.push('FORBIDDEN');
  if (parameters.some((parameter) => parameter.in === 'path')) codes.push('NOT_FOUND');
  if (parameters.some(({ name }) => name === IDEMPOTENCY_KEY)) {
    codes.push('IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED');
  }
  for (const code of codes) addCode(operation, code);
}

/** Successes as the compiler concludes them from return types: without the envelope, often of a wrong status. */
function dropGuesses({ responses }: Operation): void {
  for (const [status, response] of Object.entries(responses)) {
    if (response && 'description' in response && response.description === '') delete responses[status];
  }
}

function addCode(operation: Operation, code: ErrorCode): void {
  const status = String(STATUS_OF[code]);
  const response = operation.responses[status];
  const own = response && 'description' in response ? response.description.split(', ') : [];
  const codes = [...new Set([...own, code])] as ErrorCode[];
  operation.responses[status] = {
    description: codes.join(', '),
    content: { 'application/json': { schema: failureOf(codes) } },
  };
}
