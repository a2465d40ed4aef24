import { startGcsServer } from '../../test/setup/gcs/server.js';
import { describeBadDays } from './bad-days.contract.js';

/** All parts of an upload go to the same address. */
describeBadDays('GcsStorage', {
  start: startGcsServer,
  isSecondPart: ({ method, before }) => method === 'PUT' && before >= 1,
  isEnd: ({ method, before }) => method === 'PUT' && before >= 2,
  unfinished: ({ uploads }) => uploads.open,
});
