import { startAzureServer } from '../../test/setup/azure/server.js';
import { describeBadDays } from './bad-days.contract.js';

const queryOf = (path: string) => new URLSearchParams(path.slice(path.indexOf('?') + 1));

describeBadDays('AzureStorage', {
  start: startAzureServer,
  isSecondPart: ({ path }) => Buffer.from(queryOf(path).get('blockid') ?? '', 'base64').toString().endsWith('-000001'),
  isEnd: ({ path }) => queryOf(path).get('comp') === 'blocklist',
  // Nobody can give up blocks, and nobody pays for them: Azure removes them.
  unfinished: () => 0,
});
