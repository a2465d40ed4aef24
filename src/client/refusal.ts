import type { FieldFault } from '#libs/errors/app-error.js';
import { CommandFailure } from '../command-failure.js';

/** An answer that says no. */
export class Refusal extends CommandFailure {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
    readonly sentence: string,
    readonly details: unknown,
  ) {
    super(`${status} ${code}: ${sentence}${details === undefined ? '' : `\n${JSON.stringify(details, null, 2)}`}`);
  }

  /** Of a validation error: what is wrong with which field. */
  get faults(): FieldFault[] {
    return this.code === 'VALIDATION_ERROR' && Array.isArray(this.details) ? (this.details as FieldFault[]) : [];
  }
}
