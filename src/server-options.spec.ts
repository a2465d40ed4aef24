import { connectTo } from './server-options.js';

describe('the server that a command speaks to', () => {
  it.each(['localhost:3000', 'platen.example', 'ftp://platen.example'])('is not %s', async (url) => {
    await expect(connectTo({ url, token: 'secret' }, {})).rejects.toThrow(`${url} is not an address like http://127.0.0.1:3000.`);
  });
});
