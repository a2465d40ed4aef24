import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import type { ErrorCode } from '#libs/errors/app-error.js';
import { failureOf } from '../http/answers.js';
import { STATUS_OF } from '../http/error-status.js';
import { POLICY_EXTENSION } from '../http/policy.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']> & { [POLICY_EXTENSION]?: string };

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
const EVERYWHERE: ErrorCode[] = ['RATE_LIMITED', 'INTERNAL_ERROR', 'SERVICE_UNAVAILABLE'];

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
  const config = new DocumentBuilder()
    .setTitle('Platen')
    .setDescription('Turns a workflow into a collection of finished artworks.')
    .setVersion('1')
    .setOpenAPIVersion('3.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'An access token (JWT) or an API key (`plt_…`).' })
    .build();
  const document = SwaggerModule.createDocument(app, config);
  describeFailures(document);
  SwaggerModule.setup('docs', app, document, { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}

function describeFailures(document: OpenAPIObject): void {
  document.components = { ...document.components, schemas: { ...document.components?.schemas, Failure: FAILURE } };
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const operation = path[method];
      if (operation) complete(operation);
    }
  }
}

/** Adds what follows from a route's policy and from its having a body: needed everywhere, so said once. */
function complete(operation: Operation): void {
  const policy = operation[POLICY_EXTENSION];
  operation.security = policy === 'public' ? [{}, { bearer: [] }] : [{ bearer: [] }];
  const codes: ErrorCode[] = [...EVERYWHERE];
  if (policy !== 'public') codes.push('UNAUTHENTICATED');
  if (policy === 'admin') codes.push('FORBIDDEN');
  if (operation.parameters?.some((parameter) => 'in' in parameter && parameter.in === 'query')) codes.push('VALIDATION_ERROR');
  if (operation.requestBody) codes.push('VALIDATION_ERROR', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE');
  for (const code of codes) addCode(operation, code);
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
