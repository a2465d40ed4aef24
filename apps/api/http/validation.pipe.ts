import { ValidationPipe, type ArgumentMetadata } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import type { FieldFault } from '#libs/errors/app-error.js';
import { fieldError, validationError } from '#libs/errors/errors.js';

/** Checks bodies and queries against their DTO: every fault at once, unknown fields by name. */
export class RequestValidationPipe extends ValidationPipe {
  constructor() {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      forbidUnknownValues: true,
      transformOptions: { exposeDefaultValues: true },
      exceptionFactory: (errors) => validationError(errors.flatMap((error) => faultsOf(error))),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type !== 'body' || !this.toValidate(metadata)) return super.transform(value, metadata);
    const body = value ?? {};
    if (typeof body !== 'object' || Array.isArray(body)) throw fieldError('body', 'must be an object');
    return super.transform(body, metadata);
  }
}

/** The faults of one property and of what lies below it, by dotted path (`steps.0.nodeName`). */
function faultsOf(error: ValidationError, parents: string[] = []): FieldFault[] {
  const path = [...parents, error.property];
  const below = (error.children ?? []).flatMap((child) => faultsOf(child, path));
  return [...ownFaults(error, path.join('.')), ...below];
}

function ownFaults(error: ValidationError, field: string): FieldFault[] {
  const { whitelistValidation, ...constraints } = error.constraints ?? {};
  if (whitelistValidation !== undefined) return [{ field, message: 'is not a known field' }];
  const messages = Object.values(constraints);
  if (messages.length === 0) return [];
  if (error.value === undefined) return [{ field, message: `${field} is required` }];
  return messages.map((message) => ({ field, message }));
}
