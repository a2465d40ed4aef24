// Receives Platen's webhooks, without any library: verifies each, prints its event, and takes it.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';

const { WEBHOOK_SECRET = '', PORT = '8090' } = process.env;
const TOLERANCE_SECONDS = 300;
const key = Buffer.from(WEBHOOK_SECRET.replace('whsec_', ''), 'base64');
/** Ids of those taken: one may come twice. A real receiver keeps them in its database. */
const taken = new Set();

createServer(async (request, response) => {
  const body = await text(request);
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const id = request.headers['webhook-id'];
  const { type, data } = JSON.parse(body);
  process.stdout.write(`${taken.has(id) ? 'again' : 'told'}: ${type} of ${data.external_id ?? data.job_id}\n`);
  taken.add(id);
  response.writeHead(204).end();
}).listen(Number(PORT), '127.0.0.1');

function isGenuine(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures = '' } = headers;
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) < TOLERANCE_SECONDS)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest();
  // While a secret is being replaced there are several, of which one is enough.
  return signatures.split(' ').some((signature) => {
    const [version, value = ''] = signature.split(',');
    const given = Buffer.from(value, 'base64');
    return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
  });
}
