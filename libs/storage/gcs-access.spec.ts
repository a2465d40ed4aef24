import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { listen, type Loopback } from '../../test/setup/kept-objects.js';
import { GcsAccess } from './gcs-access.js';

const POOL = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/platen/providers/tests';

describe(GcsAccess.name, () => {
  let home: string;
  let issuer: Loopback;
  const asked: URLSearchParams[] = [];

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'platen-gcs-access-'));
    issuer = await listen(
      async (request, response) => {
        asked.push(new URLSearchParams(await text(request)));
        const token = { access_token: 'a-token', token_type: 'Bearer', expires_in: 3_600 };
        response.setHeader('content-type', 'application/json').end(JSON.stringify(token));
      },
      (_fault, response) => response.writeHead(500).end(),
    );
    await writeFile(join(home, 'subject'), 'who I am');
  });
  afterAll(async () => {
    await issuer.close();
    await rm(home, { recursive: true });
  });

  /** Of a workload somewhere else: the one kind of file that says itself where tokens come from. */
  const keyFile = async () => {
    const path = join(home, 'credentials.json');
    await writeFile(path, JSON.stringify({
      type: 'external_account',
      audience: POOL,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${issuer.url}/v1/token`,
      credential_source: { file: join(home, 'subject') },
    }));
    return path;
  };

  it('asks for a token once, and shows it to Google', async () => {
    const access = new GcsAccess({ bucket: 'platen', keyFile: await keyFile() });
    const headers = [await access.headers(), await access.headers()];
    expect(headers).toEqual([1, 2].map(() => expect.objectContaining({ authorization: 'Bearer a-token' })));
    expect(asked).toHaveLength(1);
    expect(asked[0]?.get('subject_token')).toBe('who I am');
    expect(access.origin).toBe('https://storage.googleapis.com');
  });

  it.each(['http://localhost:4443', 'http://localhost:4443/', 'localhost:4443'])(
    'shows nothing to an emulator at %s, and signs nothing without a key',
    async (emulator) => {
      const access = new GcsAccess({ bucket: 'platen', emulator });
      expect(access.origin).toBe('http://localhost:4443');
      expect(await access.headers()).toEqual({});
      expect(await access.signedUrl('/platen/a', 60, {})).toBeNull();
    },
  );
});
