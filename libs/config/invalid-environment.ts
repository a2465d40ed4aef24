import type { ValidationError } from 'class-validator';

/** Names every variable at fault. */
export class InvalidEnvironment extends Error {
  constructor(faults: ValidationError[]) {
    const lines = faults.map((fault) => `  ${fault.property}: ${Object.values(fault.constraints ?? {}).join('; ')}`);
    super(`The configuration has ${faults.length} fault(s):\n${lines.join('\n')}`);
    this.name = 'InvalidEnvironment';
  }
}
