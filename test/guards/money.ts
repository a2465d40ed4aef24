import type { Guard } from './guard.js';

const MODEL = 'libs/credits/ledger-model.spec.ts';

/** What keeps credits from being spent twice, or by nobody. */
export const moneyGuards: Guard[] = [
  {
    name: 'ledger: what is available, asked by the update itself',
    file: 'libs/credits/ledger.ts',
    find: '\n       and account.balance + total.balance - (account.held + total.held) >= 0',
    replace: '',
    red: [MODEL, 'libs/submission/submissions.spec.ts'],
  },
  {
    name: 'ledger: how many generations may be open',
    file: 'libs/credits/ledger.ts',
    find: "and: '($4::integer is null or account.open_generations + $3::integer <= $4::integer)',",
    replace: '',
    red: [MODEL],
  },
  {
    name: 'ledger: a grant is made once, whoever repeats it',
    file: 'libs/credits/ledger.ts',
    find: "await tx.query('select from account where user_id = $1 for update', [userId]);",
    replace: '',
    red: [MODEL, 'libs/credits/ledger.spec.ts'],
  },
  {
    name: 'ledger: what is held after each entry',
    file: 'libs/credits/ledger.ts',
    find: 'changed.held - sum(m.held) over () + sum(m.held) over (order by m.position),',
    replace: 'changed.held,',
    red: [MODEL, 'libs/credits/ledger.spec.ts'],
  },
  {
    name: 'submission: how many generations may be open',
    file: 'libs/submission/submission-statement.ts',
    find: "and: 'account.open_generations + s.count <= s.max_open',",
    replace: '',
    red: ['libs/submission/submissions.spec.ts'],
  },
  {
    name: 'submission: nothing is written that cannot be paid',
    file: 'libs/submission/submission-statement.ts',
    find: "s.job_type, s.priority, $2::jsonb, s.options, s.tags, s.external_id, 1, s.count, s.base_price\n      from s cross join changed",
    replace: "s.job_type, s.priority, $2::jsonb, s.options, s.tags, s.external_id, 1, s.count, s.base_price\n      from s",
    red: ['libs/submission/submissions.spec.ts', 'libs/submission/generate-collection.spec.ts'],
  },
  {
    name: 'submission: a twin in another process, under the same key',
    file: 'apps/api/http/idempotency.ts',
    find: 'if (!isTaken(error)) throw error;',
    replace: 'if (error) throw error;',
    red: ['apps/api/http/idempotency.spec.ts', 'apps/api/collections/submissions.controller.spec.ts'],
  },
  {
    name: 'settlement: a change of state is booked, or does not happen',
    file: 'libs/generations/job-transaction.ts',
    find: 'if (!booked) throw new Error(',
    replace: 'if (booked) return events;\n    return events; throw new Error(',
    red: ['libs/generations/job-control.spec.ts'],
  },
  {
    name: 'settlement: the base cost is spent once',
    file: 'libs/generations/checkpoint-statements.ts',
    find: 'where m.position = 1 or (told.takes_base and told.base_price > 0)',
    replace: 'where m.position = 1 or told.base_price > 0',
    red: ['libs/generations/settlement.spec.ts'],
  },
  {
    name: 'settlement: the job ends with its last generation, and only then',
    file: 'libs/generations/checkpoint-statements.ts',
    find: 'locked.completed + 1 + locked.failed + locked.cancelled >= locked.generations as ends',
    replace: 'locked.completed + 1 >= locked.generations as ends',
    red: ['libs/generations/settlement.spec.ts'],
  },
  {
    name: 'settlement: only the outputs of the last steps are shown',
    file: 'libs/generations/checkpoints.ts',
    find: 'const shown = state.showsAll ? null : sinksOf(state.instructionSet.steps, this.registry);',
    replace: 'const shown = sinksOf([], this.registry).length > 0 ? [] : null;',
    red: ['apps/worker/generation-worker.spec.ts'],
  },
  {
    name: 'books: a balance that its entries do not give',
    file: 'libs/credits/reconcile.ts',
    find: 'where a.balance <> coalesce(t.balance, 0)',
    replace: 'where false',
    red: ['libs/credits/reconcile.spec.ts'],
  },
  {
    name: 'books: credits held for nothing',
    file: 'libs/credits/reconcile.ts',
    find: 'where a.held <> coalesce(g.price, 0) + coalesce(b.price, 0)',
    replace: 'where false',
    red: ['libs/credits/reconcile.spec.ts'],
  },
  {
    name: 'books: sums held that its entries do not give',
    file: 'libs/credits/reconcile.ts',
    find: 'where a.held <> coalesce(t.held, 0)',
    replace: 'where false',
    red: ['libs/credits/reconcile.spec.ts'],
  },
  {
    name: 'books: generations counted as open',
    file: 'libs/credits/reconcile.ts',
    find: 'where a.open_generations + a.in_flight <> coalesce(g.open, 0)',
    replace: 'where false',
    red: ['libs/credits/reconcile.spec.ts'],
  },
  {
    name: 'books: an entry whose sum is wrong',
    file: 'libs/credits/reconcile.ts',
    find: 'where balance <> balance_after or held <> held_after group by user_id',
    replace: 'where false group by user_id',
    red: ['libs/credits/reconcile.spec.ts'],
  },
];
