// Loaded into a process that is profiled: samples its processor time from one request to the next.
import { Session } from 'node:inspector/promises';

const SAMPLE_EVERY_US = 250;
const session = new Session();
session.connect();

process.on('message', (request) => {
  answer(request).then(
    (value) => process.send({ value }),
    (error) => process.send({ error: error.stack }),
  );
});
// A server must not be kept alive, nor be stopped, by being listened to.
process.channel?.unref();

async function answer({ profile }) {
  if (profile === 'start') {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLE_EVERY_US });
    return session.post('Profiler.start');
  }
  return (await session.post('Profiler.stop')).profile;
}
