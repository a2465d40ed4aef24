import { eventually } from '../../test/setup/eventually.js';
import { startS3Server, type S3Server } from '../../test/setup/s3/server.js';
import { describeStorage } from './storage.contract.js';

let server: S3Server;

beforeEach(async () => {
  server = await startS3Server();
});
afterEach(async () => {
  // Whatever a test did: no parts are left that somebody pays for.
  await eventually(async () => expect([...server.bucket.uploads]).toEqual([]));
  await server.close();
});

describeStorage('S3Storage', async () => server.storage());
