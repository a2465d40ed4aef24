import { startS3Server } from '../../test/setup/s3/server.js';
import { describeBadDays } from './bad-days.contract.js';

describeBadDays('S3Storage', {
  start: startS3Server,
  isSecondPart: ({ path }) => path.includes('partNumber=2'),
  isEnd: ({ method, path }) => method === 'POST' && path.includes('uploadId='),
  unfinished: ({ bucket }) => bucket.uploads.size,
});
