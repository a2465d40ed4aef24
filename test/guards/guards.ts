import { boundaryGuards } from './boundary.js';
import { collectionGuards } from './collections.js';
import { comfyGuards } from './comfyui.js';
import { deliveryGuards } from './deliveries.js';
import { encryptionGuards } from './encryption.js';
import { engineGuards } from './engine.js';
import type { Guard } from './guard.js';
import { imageGuards } from './images.js';
import { moneyGuards } from './money.js';
import { outsideGuards } from './outside.js';
import { previewGuards } from './previews.js';
import { provenanceGuards } from './provenance.js';
import { schemaGuards } from './schema.js';
import { storageGuards } from './storage.js';
import { strangerGuards } from './strangers.js';
import { tenancyGuards } from './tenancy.js';
import { tokenGuards } from './tokens.js';

/** Every guard that must be watched by a test. */
export const guards: Guard[] = [
  ...engineGuards, ...moneyGuards, ...schemaGuards, ...tenancyGuards, ...boundaryGuards, ...strangerGuards,
  ...collectionGuards, ...comfyGuards, ...outsideGuards, ...deliveryGuards, ...imageGuards, ...tokenGuards,
  ...storageGuards, ...encryptionGuards, ...previewGuards, ...provenanceGuards,
];
