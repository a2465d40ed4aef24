import { Pulse } from './pulse.js';

describe('the pulse of a worker', () => {
  let now = 0;
  let pulse: Pulse;

  beforeEach(() => {
    now = 1_000;
    pulse = new Pulse(['chromium', 'default'], () => now);
  });

  it('is as old as the last look at the lane that stands still the longest', () => {
    now += 5_000;
    pulse.beat('chromium', true);
    expect([pulse.stillForMs, pulse.unservedForMs]).toEqual([5_000, 5_000]);
    pulse.beat('default', true);
    expect([pulse.stillForMs, pulse.unservedForMs]).toEqual([0, 0]);
  });

  it('goes on while the database is away: what is missing then is not the worker', () => {
    now += 5_000;
    for (const lane of ['chromium', 'default'] as const) pulse.beat(lane, false);
    expect([pulse.stillForMs, pulse.unservedForMs]).toEqual([0, 5_000]);
  });

  it('counts only lanes that are served', () => {
    now += 5_000;
    pulse.beat('provider', true);
    expect(pulse.stillForMs).toBe(5_000);
  });

  it('does not stop when the worker rests', () => {
    now += 5_000;
    pulse.rest();
    expect([pulse.stillForMs, pulse.isResting]).toEqual([0, true]);
  });
});
