import type { Receipt } from '../../e2e/client.js';
import { quickStep } from '../../e2e/pipelines.js';
import { untilCalm } from '../harness/calm.js';
import type { Scenario } from '../harness/scenario.js';
import { storeWork } from '../harness/works.js';

const AT_ONCE = 50;
/** Of one generation of the stored work. */
const PRICE = 0.75;
const DRAIN_MS = 60_000;

export const lastCredit: Scenario = {
  name: 'last-credit',
  promise: 'Of fifty submissions at once, over two APIs, with credit for one, 49 cannot be paid.',

  async run(storm) {
    const { town } = storm;
    const apis = await town.startApis(2);
    await town.startWorkers(1);
    const receipts = new Set<string>();
    storm.receipts = receipts;
    const rounds = storm.sized(100, 10);
    for (let round = 0; round < rounds; round++) {
      const buyer = await town.richClient(apis[round % 2]!, PRICE);
      const body = { title: 'Last credit', workflow_id: await storeWork(buyer, [quickStep('only')]) };
      const answers = await Promise.all(
        Array.from({ length: AT_ONCE }, (_, index) =>
          buyer.at(apis[index % 2]!).request<Receipt>('POST', '/api/collections/generate', { body }),
        ),
      );
      const accepted = answers.filter(({ status }) => status === 201);
      const unpaid = answers.filter(({ status }) => status === 402);
      for (const { body: { data } } of accepted) receipts.add(data.job_id);
      storm.did('submissions accepted', accepted.length);
      storm.did('submissions that cannot be paid', unpaid.length);
      if (accepted.length !== 1 || unpaid.length !== AT_ONCE - 1) {
        storm.fault(`Round ${round}: ${answers.map(({ status }) => status).join()}`);
      }
    }
    await untilCalm(storm, DRAIN_MS);
    storm.mustReach('generations completed', rounds);
    const [sums] = await town.query<{ balance: string }>('select sum(balance) as balance from account');
    if (Number(sums!.balance) !== 0) storm.fault(`${sums!.balance} micro-credits are left, 0 should be`);
  },
};
