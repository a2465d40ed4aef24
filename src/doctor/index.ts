import type { Check } from './check.js';
import { chromiumCheck } from './chromium.check.js';
import { clockCheck } from './clock.check.js';
import { comfyuiCheck } from './comfyui.check.js';
import { databaseCheck } from './database.check.js';
import { diskCheck } from './disk.check.js';
import { nodeCheck } from './node.check.js';
import { redisCheck } from './redis.check.js';
import { secretsCheck } from './secrets.check.js';
import { storageCheck } from './storage.check.js';

/** Every check, in the order in which their findings are shown. */
export const CHECKS: Check[] = [
  nodeCheck, secretsCheck, databaseCheck, clockCheck, redisCheck, storageCheck, diskCheck, chromiumCheck, comfyuiCheck,
];
