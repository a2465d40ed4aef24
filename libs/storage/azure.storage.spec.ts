import { startAzureServer, type AzureServer } from '../../test/setup/azure/server.js';
import { describeStorage } from './storage.contract.js';

let server: AzureServer;

beforeEach(async () => {
  server = await startAzureServer();
});
afterEach(() => server.close());

describeStorage('AzureStorage', async () => server.storage());
