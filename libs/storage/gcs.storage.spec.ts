import { eventually } from '../../test/setup/eventually.js';
import { startGcsServer, type GcsServer } from '../../test/setup/gcs/server.js';
import { describeStorage } from './storage.contract.js';

let server: GcsServer;

beforeEach(async () => {
  server = await startGcsServer();
});
afterEach(async () => {
  // Whatever a test did: no upload is left open.
  await eventually(async () => expect(server.uploads.open).toBe(0));
  await server.close();
});

describeStorage('GcsStorage', async () => server.storage());
