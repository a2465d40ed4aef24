import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { sourcesIn } from '../../test/structure/sources.js';
import { signals } from './signals.js';
import { channelNameOf, traced, tracepoint, TRACEPOINTS, type TracepointMessage } from './tracepoints.js';

describe('tracepoints', () => {
  it('call their subscribers before the road goes on, with what they are about', () => {
    const order: unknown[] = [];
    const listen = (message: unknown) => void order.push(message as TracepointMessage);
    subscribe(channelNameOf('claim.after'), listen);
    tracepoint('claim.after', { generationId: 'a generation' });
    order.push('the road goes on');
    unsubscribe(channelNameOf('claim.after'), listen);
    tracepoint('claim.after');
    expect(order).toEqual([{ point: 'claim.after', generationId: 'a generation' }, 'the road goes on']);
  });

  it('stand before and after what is traced; what fails never comes to the second', async () => {
    const seen: string[] = [];
    const listen = (message: unknown) => void seen.push((message as TracepointMessage).point);
    const both = [channelNameOf('sweep.before'), channelNameOf('sweep.after')];
    for (const name of both) subscribe(name, listen);
    expect(await traced('sweep', async () => seen.push('swept'))).toBe(2);
    await expect(traced('sweep', () => Promise.reject(new Error('broke')))).rejects.toThrow('broke');
    for (const name of both) unsubscribe(name, listen);
    expect(seen).toEqual(['sweep.before', 'swept', 'sweep.after', 'sweep.before']);
  });

  it('are all on the road: none is only a name', () => {
    const texts = sourcesIn(['apps', 'libs']).map(({ text }) => text);
    const named = (call: RegExp) => texts.flatMap((text) => [...text.matchAll(call)].map(([, name]) => name));
    const stretches = named(/\btraced\('([^']+)'/g).flatMap((name) => [`${name}.before`, `${name}.after`]);
    const placed = new Set([...named(/\btracepoint\('([^']+)'/g), ...stretches]);
    expect([...placed].sort()).toEqual([...TRACEPOINTS].sort());
  });
});

it('signals are all sent by somebody', () => {
  const sent = sourcesIn(['apps', 'libs']).flatMap(({ text }) => [...text.matchAll(/\bsignals\.(\w+)\.send\(/g)]);
  expect([...new Set(sent.map(([, name]) => name))].sort()).toEqual(Object.keys(signals).sort());
});
