import type { PlatenError } from '#libs/client/index.js';

const NEW_TOKEN = 'npm run --silent token -- --sub <uuid> --credits 100';

/** What a call that failed means to whoever typed the command, and what to do about it. */
export function refusalText(error: PlatenError): string {
  const { code, status, message, faults, details, requestId } = error;
  switch (code) {
    case 'UNREACHABLE':
      return `${message}\nStart a Platen with \`npm start\`, or name the one you mean: --url, or PLATEN_URL.`;
    case 'UNAUTHENTICATED':
      return `${status} ${code}: ${message}\nThe token has expired, or is another server's. A new one, as a development user:\n` +
        `  export PLATEN_TOKEN=$(${NEW_TOKEN})`;
    case 'INSUFFICIENT_CREDITS':
      return `${status} ${code}: ${message}: ${shortfallOf(details)}\n\`platen credits\` shows the account. On a server of your own, ` +
        `this grants some:\n  ${NEW_TOKEN}`;
    case 'VALIDATION_ERROR':
      return [message, ...faults.map((fault) => `  ${fault.field}: ${fault.message}`)].join('\n');
    case 'INTERNAL_ERROR':
    case 'NOT_PLATEN':
      return `${status} ${code}: ${message} (request ${requestId ?? 'unknown'})`;
    default:
      return `${status || ''} ${code}: ${message}${details === undefined ? '' : `\n${JSON.stringify(details, null, 2)}`}`.trim();
  }
}

function shortfallOf(details: unknown): string {
  const { required, available } = Object(details) as { required?: number; available?: number };
  return `it takes ${required} credits, ${available} are available.`;
}
