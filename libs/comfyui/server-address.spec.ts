import { isServerUrl, serverAddress } from './server-address.js';

describe('the address of a ComfyUI server', () => {
  it.each([
    ['http://gpu1:8188', { name: 'gpu1:8188', host: 'gpu1:8188', origin: 'http://gpu1:8188', path: '', headers: {} }],
    ['https://gpu.example/comfy/', { name: 'gpu.example/comfy', host: 'gpu.example', origin: 'https://gpu.example', path: '/comfy', headers: {} }],
  ])('%s', (url, address) => expect(serverAddress(url)).toEqual(address));

  it.each([
    ['bearer:t%2Fo', { authorization: 'Bearer t/o' }],
    ['X-Api-Key:k', { 'x-api-key': 'k' }],
    ['ann:secret', { authorization: `Basic ${btoa('ann:secret')}` }],
  ])('with %s', (credentials, headers) => {
    expect(serverAddress(`http://${credentials}@gpu1:8188`)).toMatchObject({ name: 'gpu1:8188', headers });
  });

  it('is http or https, and nothing behind its path', () => {
    const odd = ['gpu1:8188', 'gpu1', 'ws://gpu1:8188', 'http://', 'http://gpu1?key=1', 'http://gpu1#a', 7];
    expect(odd.map(isServerUrl)).toEqual(odd.map(() => false));
    expect(isServerUrl('http://bearer:t@10.0.0.5:8188/comfy')).toBe(true);
  });
});
