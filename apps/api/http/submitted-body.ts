import type { Type } from '@nestjs/common';
import { AppError, type FieldFault } from '#libs/errors/app-error.js';
import { RequestValidationPipe } from './validation.pipe.js';

/** A body as its DTO, or what is wrong with it, for requests in which further checks can find more. */
export type SubmittedBody<Body> = { body: Body; faults: null } | { body: null; faults: FieldFault[] };

const pipe = new RequestValidationPipe();

export async function readBody<Body>(type: Type<Body>, raw: unknown): Promise<SubmittedBody<Body>> {
  try {
    return { body: (await pipe.transform(raw, { type: 'body', metatype: type })) as Body, faults: null };
  } catch (error) {
    if (error instanceof AppError && error.code === 'VALIDATION_ERROR') {
      return { body: null, faults: error.details as FieldFault[] };
    }
    throw error;
  }
}
