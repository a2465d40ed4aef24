import type { Guard } from './guard.js';
import { schemaGuards } from './schema.js';
import { tenancyGuards } from './tenancy.js';

/** Every guard that must be watched by a test. */
export const guards: Guard[] = [...schemaGuards, ...tenancyGuards];
