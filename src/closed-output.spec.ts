import { PassThrough } from 'node:stream';
import { endWithReader } from './closed-output.js';

describe('a program whose reader has gone', () => {
  it('ends as one of the shell does, without a word', () => {
    const [output, exit] = [new PassThrough(), jest.fn()];
    endWithReader(output, exit);
    output.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    expect(exit).toHaveBeenCalledWith(141);
    expect(() => output.emit('error', Object.assign(new Error('no space'), { code: 'ENOSPC' }))).toThrow('no space');
  });
});
