import type { FieldFault } from '#libs/errors/app-error.js';
import { joinPath } from '#libs/instruction-set/field-path.js';
import type { Json } from '#libs/instruction-set/instruction-set.js';
import type { Expressions } from '#libs/sandbox/expressions.js';
import { FETCH_TYPES, fetchTypeOf, methodOf, type ApiCall, type PollingPart } from './api-call.js';
import { hasBraces, isFillable, isLiteralHttps, parametersIn, secretsIn } from './templates.js';

const ONLY_HEADERS = 'must not hold {{…}}: secrets go into headers only';

/** Faults of a well-shaped call beyond its shape, with paths below `data`. `body`: undefined where there is none. */
export async function apiFaults(api: ApiCall, body: Json | undefined, expressions: Expressions): Promise<FieldFault[]> {
  const polling = fetchTypeOf(api) === 'polling' ? api.polling : undefined;
  const faults = [
    ...urlFaults('url', api.url),
    ...parametersIn(api.url).map((name) => at('url', `{${name}} has no value: only polling has parameters`)),
    ...headerFaults(api, polling),
    ...(polling ? pollingFaults(polling) : []),
    ...(await programFaults(api, expressions)),
  ];
  if (fetchTypeOf(api) === 'polling' && !polling) faults.push(at('polling', 'is required by this fetchType'));
  const method = methodOf(api, body);
  if (body !== undefined && method === 'GET') faults.push(at('method', 'GET sends no body'));
  return [
    ...faults.map(({ field, message }) => at(joinPath('api', field), message)),
    ...(body !== undefined && hasBraces(JSON.stringify(body)) ? [at('body', ONLY_HEADERS)] : []),
  ];
}

const at = (field: string, message: string): FieldFault => ({ field, message });

function urlFaults(field: string, text: string): FieldFault[] {
  if (hasBraces(text)) return [at(field, ONLY_HEADERS)];
  // A parameter at the beginning is a whole URL.
  const url = text.replace(/^\{\w+\}/, 'https://a.example/').replace(/\{\w+\}/g, 'x');
  if (!URL.canParse(url) || !['http:', 'https:'].includes(new URL(url).protocol)) {
    return [at(field, 'must be an http(s) URL')];
  }
  const { username, password } = new URL(url);
  return username || password ? [at(field, 'must not hold a name or a password')] : [];
}

/** Each list of headers, and the URLs that it goes to. */
function headerFaults(api: ApiCall, polling: PollingPart | null | undefined): FieldFault[] {
  const faults = [...namedFaults('headers', api.headers), ...namedFaults('polling.headers', polling?.headers)];
  if (secretsIn(api.headers ?? {}).length > 0 && !isLiteralHttps(api.url)) faults.push(at('url', NOT_LITERAL));
  const polled = polling?.headers ?? api.headers ?? {};
  if (polling && secretsIn(polled).length > 0 && !isLiteralHttps(polling.url)) {
    faults.push(at('polling.url', NOT_LITERAL));
  }
  return faults;
}

const NOT_LITERAL = 'must begin with https:// and a host without parameters, since its headers hold secrets';

const namedFaults = (field: string, headers: ApiCall['headers']): FieldFault[] =>
  Object.entries(headers ?? {}).flatMap(([name, value]) =>
    isFillable(value) ? [] : [at(`${field}.${name}`, 'holds {{ without the name of a secret')],
  );

function pollingFaults({ url, params }: PollingPart): FieldFault[] {
  const names = parametersIn(url);
  const missing = names.filter((name) => !Object.hasOwn(params ?? {}, name));
  return [
    ...urlFaults('polling.url', url),
    ...missing.map((name) => at('polling.url', `{${name}} is not among params`)),
  ];
}

async function programFaults(api: ApiCall, expressions: Expressions): Promise<FieldFault[]> {
  const { polling } = api;
  const jq = [
    ...FETCH_TYPES.map((type) => [`${type}.outputExprJq`, api[type]?.outputExprJq] as const),
    ...Object.entries(polling?.params ?? {}).map(([id, { exprJq }]) => [`polling.params.${id}.exprJq`, exprJq] as const),
  ];
  const javascript = (['continueWhenExpr', 'stopWhenExpr'] as const)
    .map((name) => [`polling.${name}`, polling?.[name]] as const);
  const faults: FieldFault[] = [];
  for (const [field, program] of jq) {
    const fault = program ? await expressions.jqFault(program) : null;
    if (fault) faults.push(at(field, `is not jq: ${fault}`));
  }
  for (const [field, expression] of javascript) {
    const fault = expression ? await expressions.expressionFault(expression) : null;
    if (fault) faults.push(at(field, `is not a JavaScript expression: ${fault}`));
  }
  return faults;
}
