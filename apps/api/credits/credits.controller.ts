import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { readBalance, readLedger } from '#libs/credits/account-view.js';
import { readMonthlyUsage } from '#libs/credits/usage.js';
import { Database } from '#libs/database/database.js';
import { Accounts } from '#libs/identity/accounts.js';
import { Answers } from '../http/answers.js';
import { PageQuery } from '../http/paging.dto.js';
import { readCursor, toPage } from '../http/paging.js';
import { CurrentCaller, Policy, type Caller } from '../http/policy.js';
import { Credits, LedgerEntry } from './credits.dto.js';

@ApiTags('Credits and account')
@Policy('user')
@Controller('credits')
export class CreditsController {
  constructor(
    private readonly database: Database,
    private readonly accounts: Accounts,
  ) {}

  /** What the caller owns, what of it is set aside, and what the plan leaves this month. */
  @Get()
  @Answers({ data: Credits })
  async credits(@CurrentCaller() { userId }: Caller): Promise<Credits> {
    const [balance, usage, plan] = await Promise.all([
      readBalance(this.database, userId),
      readMonthlyUsage(this.database, userId),
      this.accounts.planOf(userId),
    ]);
    return {
      ...balance,
      plan: plan.name,
      usage: {
        generations_this_month: usage.used,
        monthly_limit: plan.monthlyGenerations,
        resets_at: usage.resetsAt,
      },
    };
  }

  /** The caller's ledger, newest entry first. */
  @Get('ledger')
  @Answers({ pageOf: LedgerEntry })
  async ledger(@CurrentCaller() { userId }: Caller, @Query() { limit, cursor }: PageQuery) {
    const before = readCursor(cursor, ['bigint'])?.[0] ?? null;
    const entries = await readLedger(this.database, userId, { limit, before });
    return toPage(entries, limit, (entry) => [entry.id]);
  }
}
