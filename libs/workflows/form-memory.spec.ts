import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { validateVariables } from './form-variables.js';
import { checkForm } from './form-check.js';
import type { Form } from './form.js';

const collectGarbage = (): void => {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
};

describe('what checks a form', () => {
  const buildForm = (index: number): Form => ({
    fields: Array.from({ length: 40 }, (_, field) => ({ id: `f${index}-${field}`, type: 'slider', default: 'no' })),
  });

  it('goes with the form, so that many forms leave nothing behind', async () => {
    const check = (from: number) => {
      for (let index = from; index < from + 100; index++) {
        const form = buildForm(index);
        expect(validateVariables(form, {}).faults).toHaveLength(40);
        expect(checkForm(form)).toHaveLength(40);
      }
    };
    const heapUsed = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    check(0);
    const before = await heapUsed();
    check(100);
    expect((await heapUsed()) - before).toBeLessThan(6 * 1024 * 1024);
  });
});
