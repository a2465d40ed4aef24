import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { sketchRun, testRenderer } from '../../../test/factories/sketch-run.js';

/** Everything a hostile sketch may try to reach the sink with, by any name the sink has. */
const ATTEMPTS: Record<string, string> = {
  fetch: `fetch(url, { mode: 'no-cors' }).catch(() => {})`,
  keepalive: `fetch(url, { mode: 'no-cors', keepalive: true, method: 'POST', body: 'x' }).catch(() => {})`,
  xhr: `const xhr = new XMLHttpRequest(); xhr.open('GET', url); xhr.onerror = () => {}; xhr.send()`,
  image: `new Image().src = url`,
  script: `add('script', { src: url })`,
  stylesheet: `add('link', { rel: 'stylesheet', href: url })`,
  cssImage: `add('div', { style: 'width:9px;height:9px;background:url(' + url + ')' })`,
  font: `new FontFace('f', 'url(' + url + ')').load().catch(() => {})`,
  video: `add('video', { src: url })`,
  object: `add('object', { data: url }); add('embed', { src: url })`,
  iframe: `add('iframe', { src: url }); add('iframe', { srcdoc: '<img src=' + url + '>' })`,
  worker: `new Worker(URL.createObjectURL(new Blob(['fetch("' + url + '")'], { type: 'text/javascript' })))`,
  sharedWorker: `new SharedWorker('data:text/javascript,fetch("' + url + '")')`,
  serviceWorker: `navigator.serviceWorker.register(url).catch(() => {})`,
  worklet: `CSS.paintWorklet?.addModule(url).catch(() => {})`,
  form: `const form = add('form', { action: url, method: 'post', target: 'other' }); form.submit()`,
  eventSource: `new EventSource(url)`,
  module: `import(url).catch(() => {})`,
  prefetch: `const rels = 'prefetch preload preconnect dns-prefetch prerender icon manifest modulepreload';
      for (const rel of rels.split(' ')) add('link', { rel, href: url, as: 'script' })`,
  speculation: `const rules = { prerender: [{ urls: [url] }], prefetch: [{ urls: [url] }] };
      add('script', { type: 'speculationrules', textContent: JSON.stringify(rules) })`,
  webSocket: `new WebSocket(url.replace('http', 'ws'))`,
  webTransport: `const transport = new WebTransport(url.replace('http:', 'https:'));
      for (const end of [transport.ready, transport.closed]) end.catch(() => {})`,
  beacon: `navigator.sendBeacon(url, 'x')`,
  ping: `const ping = add('a', { href: '#', ping: url }); ping.click()`,
  popup: `window.open(url)`,
  popupLink: `const popup = add('a', { href: url, target: '_blank' }); popup.click()`,
  report: `add('meta', { httpEquiv: 'Content-Security-Policy', content: 'img-src none; report-uri ' + url })`,
  stun: `connect({ urls: 'stun:' + host + ':' + udp })`,
  turn: `connect({ urls: 'turn:' + host + ':' + tcp + '?transport=tcp', username: 'u', credential: 'c' })`,
  refresh: `add('meta', { httpEquiv: 'refresh', content: '0;url=' + url })`,
  navigation: `location.href = url`,
};

/** Chromium itself keeps pages from loopback in some ways, so the machine's own address is tried as well. */
const HOSTS = [
  '127.0.0.1',
  'localhost',
  '[::1]',
  ...Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address }) => address),
];

async function openSink() {
  const contacts: string[] = [];
  const http = createServer((request, response) => response.end(void contacts.push(request.url ?? '')));
  http.on('connection', () => contacts.push('connection'));
  http.listen(0);
  const udp = createSocket('udp4', () => contacts.push('datagram'));
  udp.bind(0);
  await Promise.all([once(http, 'listening'), once(udp, 'listening')]);
  const close = () => {
    http.closeAllConnections();
    http.close();
    udp.close();
  };
  return { contacts, tcp: (http.address() as AddressInfo).port, udp: udp.address().port, close };
}

const sketch = (tcp: number, udp: number) => `
  const [tcp, udp] = [${tcp}, ${udp}];
  const address = (host, name) => 'http://' + host + ':' + tcp + '/' + name;
  const add = (name, properties) => document.body.appendChild(Object.assign(document.createElement(name), properties));
  const attempt = (name, action) => {
    try { action(); } catch (error) { if (error instanceof ReferenceError) throw error; }
    tried.add(name);
  };
  const connect = (server) => {
    const peer = new RTCPeerConnection({ iceServers: [server] });
    peer.createDataChannel('x');
    peer.createOffer().then((offer) => peer.setLocalDescription(offer)).catch(() => {});
  };
  const tried = new Set();
  for (const host of ${JSON.stringify(HOSTS)}) {
    ${Object.entries(ATTEMPTS)
      .map(([name, code]) => `attempt('${name}', () => { const url = address(host, '${name}'); ${code} });`)
      .join('\n    ')}
  }
  console.log(tried.size);
  function draw() { if (frameCount < 0) capture(); }`;

it('lets a sketch reach nothing, whatever it tries', async () => {
  const sink = await openSink();
  const renderer = testRenderer();
  try {
    const code = sketch(sink.tcp, sink.udp);
    const rendering = renderer.render(sketchRun(code, { timeLimitMs: 3_000 }));
    const failure = await rendering.catch((error: unknown) => error);
    expect(String(failure)).toContain('did not end within 3000 ms');
    const { logs } = failure as { logs: string[] };
    expect(logs).toContain(String(Object.keys(ATTEMPTS).length));
    // Its policy speaks first; what that lets pass, routes and a dead proxy stop without a word.
    expect(logs).toEqual(expect.arrayContaining(['fetch', 'image'].map((name) => `Blocked: http://127.0.0.1:${sink.tcp}/${name}`)));
    expect(sink.contacts).toEqual([]);
  } finally {
    await renderer.close();
    sink.close();
  }
});
