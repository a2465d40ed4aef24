import {
  IsIn, IsNotEmpty, IsNumber, IsOptional, IsPositive, IsString, IsUUID, Max, MaxLength, ValidateBy,
} from 'class-validator';
import { toCredits, toMicroCredits } from '#libs/credits/micro-credits.js';
import { ROLES, type Role } from '#libs/identity/caller.js';

/**
 * Not by `maxDecimalPlaces`: that reads digits after a point, and 1e-7 has none. What is no amount at all, or none that
 * can be counted, is refused beside this.
 */
const IsWholeMicroCredits = () =>
  ValidateBy({
    name: 'isWholeMicroCredits',
    validator: {
      validate: (amount) => !isCountable(amount) || toCredits(toMicroCredits(amount)) === amount,
      defaultMessage: () => 'amount must have six decimals at most',
    },
  });

const isCountable = (amount: unknown): boolean =>
  typeof amount === 'number' && Math.abs(amount) <= Number.MAX_SAFE_INTEGER;

export class Usage {
  /** Generations of the v1 and two-step faces in this calendar month (UTC). */
  generations_this_month: number;
  monthly_limit: number;
  /** When the next month begins. */
  resets_at: Date;
}

/** Amounts are credits; `balance = held + available`. */
export class Credits {
  balance: number;
  held: number;
  available: number;
  plan: string;
  usage: Usage;
}

export class LedgerEntry {
  id: string;
  /** grant, hold, capture, release, refund or adjust. */
  type: string;
  /** Positive; only that of `adjust` is signed. */
  amount: number;
  balance_after: number;
  held_after: number;
  job_id: string | null;
  generation_id: string | null;
  description: string | null;
  created_at: Date;
}

export class GrantRequest {
  @IsUUID()
  user_id: string;

  /** Credits, with up to six decimals. */
  @IsNumber() @IsPositive() @Max(1_000_000_000) @IsWholeMicroCredits()
  amount: number;

  @IsString() @IsNotEmpty() @MaxLength(500)
  reason: string;
}

export class Grant {
  user_id: string;
  amount: number;
  balance: number;
  held: number;
  available: number;
}

export class DriftedAccount {
  user_id: string;
  /** balance, held, open_price, open_generations or running_sum. */
  rule: string;
  expected: number;
  actual: number;
}

export class ReconciliationReport {
  accounts: number;
  entries: number;
  /** Empty when the books are right; 1,000 at most. */
  drift: DriftedAccount[];
}

export class AccountPlanRequest {
  /** Name of a configured plan. */
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(100)
  plan?: string;

  /** A payment provider's price id; wins over `plan`. */
  @IsOptional() @IsString() @IsNotEmpty() @MaxLength(200)
  price_id?: string;
}

export class AccountPlan {
  user_id: string;
  plan: string;
}

export class ApiKeyRequest {
  @IsString() @IsNotEmpty() @MaxLength(100)
  name: string;

  /** `admin` only for admins. */
  @IsOptional() @IsIn(ROLES)
  role?: Role;
}

export class ApiKeyView {
  id: string;
  name: string;
  /** The first characters of the key, to know it by. */
  prefix: string;
  role: string;
  created_at: Date;
  last_used_at: Date | null;
}

export class CreatedApiKey extends ApiKeyView {
  /** The key itself: shown this once. */
  key: string;
}
