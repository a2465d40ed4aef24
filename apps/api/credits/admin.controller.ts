import { Body, Controller, Param, Post, Put, Req } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { v7 as uuid } from 'uuid';
import { readBalance } from '#libs/credits/account-view.js';
import { Ledger } from '#libs/credits/ledger.js';
import { toMicroCredits } from '#libs/credits/micro-credits.js';
import { Plans } from '#libs/credits/plans.js';
import { reconcile } from '#libs/credits/reconcile.js';
import { Database } from '#libs/database/database.js';
import { fieldError, notFound } from '#libs/errors/errors.js';
import { Accounts } from '#libs/identity/accounts.js';
import { Answers, ApiIdempotencyKey } from '../http/answers.js';
import { Idempotency } from '../http/idempotency.js';
import { parseUuid } from '../http/ids.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { AccountPlan, AccountPlanRequest, Grant, GrantRequest, ReconciliationReport } from './credits.dto.js';

@ApiTags('Credits and account')
@Policy('admin')
@Controller('admin')
export class AdminController {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly accounts: Accounts,
    private readonly plans: Plans,
    private readonly idempotency: Idempotency,
  ) {}

  /** Gives a user credits; the account is made when there is none. */
  @Post('credits/grant')
  @ApiIdempotencyKey()
  @Answers({ status: 201, data: Grant, errors: ['IDEMPOTENCY_IN_PROGRESS', 'IDEMPOTENCY_KEY_REUSED'] })
  grant(@Req() request: FastifyRequest, @CurrentCaller() caller: Caller, @Body() body: GrantRequest) {
    const userId = body.user_id.toLowerCase();
    return this.idempotency.run(
      request,
      caller,
      async () => ({ amount: toMicroCredits(body.amount), key: `grant:${uuid()}`, description: body.reason }),
      async (tx, movement): Promise<Grant> => {
        await this.ledger.grant(tx, userId, movement);
        return { user_id: userId, amount: body.amount, ...(await readBalance(tx, userId)) };
      },
    );
  }

  /** Checks every account against its ledger and against what is open. Changes nothing. */
  @Post('credits/reconcile')
  @Answers({ data: ReconciliationReport })
  reconcile(): Promise<ReconciliationReport> {
    return reconcile(this.database);
  }

  /** Sets a user's plan, by name or by price id. */
  @Put('accounts/:userId')
  @Answers({ data: AccountPlan, errors: ['NOT_FOUND'] })
  async setPlan(@Param('userId') id: string, @Body() { plan, price_id }: AccountPlanRequest): Promise<AccountPlan> {
    const userId = parseUuid(id, () => notFound('Account'));
    if (plan === undefined && price_id === undefined) throw fieldError('plan', 'plan or price_id is required');
    if (plan !== undefined && !this.plans.has(plan)) throw fieldError('plan', 'is not a configured plan');
    const set = await this.accounts.setPlan(userId, { plan, priceId: price_id });
    return { user_id: userId, plan: set.name };
  }
}
