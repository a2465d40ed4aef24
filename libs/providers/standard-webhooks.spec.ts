import { verifiedWebhookId } from './standard-webhooks.js';

/** Replicate's own `validateWebhook` takes it. */
const SECRET = 'whsec_bWlzc2lvbi10ZXN0LXNlY3JldC0wMTIzNDU2Nzg5YWI=';
const BODY = Buffer.from('{"id":"abc123","status":"succeeded","output":["https://replicate.delivery/x/out.png"]}');
const GENUINE = 'v1,FT7fq7Gh/986QHjOyuyi63/h5b8aj7Oalka2RdFD07s=';
const SENT_AT = 1_760_000_000;
const headers = (more = {}) => ({
  'webhook-id': 'msg_test1', 'webhook-timestamp': String(SENT_AT), 'webhook-signature': GENUINE, ...more,
});
const idOf = (more = {}, body = BODY, seconds = SENT_AT) => verifiedWebhookId(SECRET, headers(more), body, seconds * 1000);

it('takes a webhook that is signed over its id, time and raw body', () => {
  expect(idOf()).toBe('msg_test1');
});

it('takes one signature among several, as while a secret is changed', () => {
  expect(idOf({ 'webhook-signature': `v1,AAAA v1a,xyz ${GENUINE}` })).toBe('msg_test1');
});

it.each([
  ['another id', { 'webhook-id': 'msg_test2' }],
  ['another time', { 'webhook-timestamp': String(SENT_AT + 1) }],
  ['no time', { 'webhook-timestamp': undefined }],
  ['a time that is no number', { 'webhook-timestamp': `${SENT_AT}e0` }],
  ['no signature', { 'webhook-signature': undefined }],
  ['a signature of another version', { 'webhook-signature': GENUINE.replace('v1,', 'v2,') }],
  ['a shorter signature', { 'webhook-signature': GENUINE.slice(0, 20) }],
])('refuses one with %s', (_what, more) => {
  expect(idOf(more)).toBeNull();
});

it('refuses a changed body', () => {
  expect(idOf({}, Buffer.from(`${String(BODY)} `))).toBeNull();
});

it.each([[-301, null], [-299, 'msg_test1'], [299, 'msg_test1'], [301, null]])('%i seconds off: %s', (seconds, id) => {
  expect(idOf({}, BODY, SENT_AT + seconds)).toBe(id);
});
