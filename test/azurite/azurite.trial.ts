import { randomUUID } from 'node:crypto';
import { BlobServiceClient } from '@azure/storage-blob';
import { AzureStorage } from '#libs/storage/azure.storage.js';
import { describeStorage } from '#libs/storage/storage.contract.js';
import { ACCOUNT, KEY } from '../setup/azure/shared-key.js';

const { AZURITE_URL: url } = process.env;
if (!url) throw new Error('Started by `npm run azurite`, which brings the server');
const connectionString =
  `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${url}/${ACCOUNT};`;

/** Each in a container of its own. */
describeStorage('AzureStorage on Azurite', async () => {
  const container = `platen-${randomUUID()}`;
  await BlobServiceClient.fromConnectionString(connectionString).createContainer(container);
  return new AzureStorage({ container, connectionString });
});
