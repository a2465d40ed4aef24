import { boundaryGuards } from './boundary.js';
import type { Guard } from './guard.js';
import { schemaGuards } from './schema.js';
import { strangerGuards } from './strangers.js';
import { tenancyGuards } from './tenancy.js';

/** Every guard that must be watched by a test. */
export const guards: Guard[] = [...schemaGuards, ...tenancyGuards, ...boundaryGuards, ...strangerGuards];
