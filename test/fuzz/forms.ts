import fc from 'fast-check';

const BOUNDARY = 'fuzz';
const LINES = [
  `--${BOUNDARY}`, `--${BOUNDARY}--`, '', 'Content-Disposition: form-data; name="file"; filename="a.txt"',
  'Content-Disposition: form-data; name="file"', 'Content-Disposition: form-data; name="other"; filename="../../a"',
  'Content-Disposition: form-data', `Content-Disposition: form-data; name="file"; filename*=UTF-8''%00%zz`,
  'Content-Type: image/png',
  'Content-Type: ', 'Content-Transfer-Encoding: base64', 'Content-Length: 5', 'text', '{"a": 1}', '\u0000', `--${BOUNDARY}x`,
];
const SOUND_FORM = [LINES[0], LINES[3], '', 'text', LINES[1], ''].join('\r\n');

/** Forms, whole and in pieces. */
export const forms = fc.oneof(
  fc.constant(SOUND_FORM),
  fc.array(fc.oneof(fc.constantFrom(...LINES), fc.string()), { maxLength: 12 }).map((lines) => lines.join('\r\n')),
  fc
    .tuple(fc.nat(SOUND_FORM.length), fc.string())
    .map(([at, by]) => SOUND_FORM.slice(0, at) + by + SOUND_FORM.slice(at)),
);

/** What a form says of itself, in a header. */
export const asForm = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` };
