import type { DeliveryOutcome } from './delivery.js';
import { judgeDelivery } from './delivery-verdict.js';

const HOUR_MS = 3_600_000;
const middle = () => 0.5;
const failed: DeliveryOutcome = { status: 500, error: 'no' };

describe(judgeDelivery, () => {
  it('takes what was taken, and gives an address up that is gone', () => {
    expect(judgeDelivery({ status: 204, error: null }, 1)).toEqual({ status: 'delivered', retryInMs: null });
    expect(judgeDelivery({ status: 410, error: 'gone' }, 1)).toEqual({ status: 'disabled', retryInMs: null });
  });

  it('tries again ever later, for about a day, then gives up', () => {
    const delays: number[] = [];
    for (let tries = 1; ; tries++) {
      const { status, retryInMs } = judgeDelivery(failed, tries, middle);
      if (status === 'failed') break;
      delays.push(retryInMs!);
    }
    expect(delays).toEqual(delays.toSorted((a, b) => a - b));
    const total = delays.reduce((sum, delay) => sum + delay, 0);
    expect(delays[0]).toBe(5_000);
    expect(total / HOUR_MS).toBeGreaterThan(23);
    expect(total / HOUR_MS).toBeLessThan(25);
  });

  it('spreads what failed together', () => {
    expect(judgeDelivery(failed, 1, () => 0).retryInMs).toBeCloseTo(4_500);
    expect(judgeDelivery(failed, 1, () => 1).retryInMs).toBeCloseTo(5_500);
  });

  it('waits as long as it is asked to, up to an hour, and never shorter than it would', () => {
    const asked = (retryAfterMs: number) => judgeDelivery({ ...failed, retryAfterMs }, 1, middle).retryInMs;
    expect(asked(120_000)).toBe(120_000);
    expect(asked(1)).toBe(5_000);
    expect(asked(30 * HOUR_MS)).toBe(HOUR_MS);
  });

  it('does not try again what can never be sent', () => {
    expect(judgeDelivery({ status: null, error: 'no URL', permanent: true }, 1).status).toBe('failed');
  });
});
