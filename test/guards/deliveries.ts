import type { Guard } from './guard.js';

const rows = 'libs/deliveries/delivery-rows.ts';
const rowsSpec = 'libs/deliveries/delivery-rows.spec.ts';
const dispatcherSpec = 'libs/deliveries/delivery-dispatcher.spec.ts';

/** What keeps webhooks genuine, told of everything, and from harming anyone. */
export const deliveryGuards: Guard[] = [
  {
    name: 'webhooks out: each attempt has its own time',
    file: 'libs/deliveries/signed-message.ts',
    find: 'const timestamp = String(Math.floor(now / 1_000));',
    replace: 'const timestamp = String(Math.floor(now / 1_000_000) * 1_000);',
    red: ['libs/deliveries/signed-message.spec.ts', dispatcherSpec],
  },
  {
    name: 'webhooks out: a secret that was replaced signs along',
    file: 'libs/deliveries/webhook-secrets.ts',
    find: 'and (expires_at is null or expires_at > now()) order by',
    replace: 'and expires_at is null order by',
    red: ['libs/deliveries/webhook-secrets.spec.ts', dispatcherSpec],
  },
  {
    name: 'webhooks out: a secret that was replaced ends',
    file: 'libs/deliveries/webhook-secrets.ts',
    find: 'and (expires_at is null or expires_at > now()) order by',
    replace: 'order by',
    red: ['libs/deliveries/webhook-secrets.spec.ts'],
  },
  {
    name: 'webhooks out: an account has one current secret',
    file: 'libs/database/migrations/1763700000006-deliveries.ts',
    find: 'create unique index webhook_secret_current',
    replace: 'create index webhook_secret_current',
    red: ['libs/deliveries/webhook-secrets.spec.ts'],
  },
  {
    name: 'webhooks out: an event is one delivery',
    file: rows,
    find: 'h.seq > r.seq and h.seq <= r.newest and',
    replace: 'h.seq <= r.newest - 1 and',
    red: [rowsSpec],
  },
  {
    name: 'webhooks out: a look locks what it looks at',
    file: rows,
    find: '   limit $1 for update of w skip locked`',
    replace: '   limit $1`',
    red: [rowsSpec],
  },
  {
    name: 'webhooks out: a job that is resumed is looked at again',
    file: 'libs/generations/job-control.ts',
    find: "await tx.query('update webhook set watched = true where job_id = $1', [job.id]);",
    replace: '',
    red: [rowsSpec],
  },
  {
    name: 'webhooks out: a delivery is claimed for a time',
    file: rows,
    find: 'next_at = now() + make_interval(secs => $3)\n',
    replace: 'next_at = now() + make_interval(secs => 0 * $3)\n',
    red: [rowsSpec],
  },
  {
    name: 'webhooks out: two workers do not claim one delivery',
    file: rows,
    find: 'order by next_at limit 1 for update skip locked',
    replace: 'order by next_at limit 1',
    red: [rowsSpec, dispatcherSpec],
  },
  {
    name: 'webhooks out: only the newest attempt is recorded',
    file: rows,
    find: "where id = $1 and attempts = $2 and status = 'pending'`",
    replace: "where id = $1 and $2::integer is not null and status = 'pending'`",
    red: [rowsSpec],
  },
  {
    name: 'webhooks out: a slow host has its share and no more',
    file: rows,
    find: 'and host <> all($1::text[]) and',
    replace: 'and $1::text[] is not null and',
    red: [rowsSpec, dispatcherSpec],
  },
  {
    name: 'webhooks out: an address that is gone is told no more',
    file: rows,
    find: 'left join webhook_gone g on g.user_id = r.user_id and',
    replace: 'left join webhook_gone g on g.user_id <> r.user_id and',
    red: [dispatcherSpec],
  },
  {
    name: 'webhooks out: an address is gone for its own account',
    file: rows,
    find: 'where w.user_id = $1 and md5(w.url) = md5($2) and',
    replace: 'where $1::uuid is not null and md5(w.url) = md5($2) and',
    red: [dispatcherSpec],
  },
  {
    name: 'tenants: whose delivery is sent again',
    file: 'libs/deliveries/delivery-log.ts',
    find: 'where user_id = $1 and job_id = $2 and id = $3 returning',
    replace: 'where $1::uuid is not null and $2::uuid is not null and id = $3 returning',
    red: ['apps/api/webhooks/deliveries.controller.spec.ts'],
  },
  {
    name: 'tenants: whose job’s deliveries are listed',
    file: 'apps/api/webhooks/deliveries.controller.ts',
    find: "    await this.jobs.assertOwner(userId, jobId);\n    const [after",
    replace: '    const [after',
    red: ['test/api/tenants.spec.ts'],
  },
];
