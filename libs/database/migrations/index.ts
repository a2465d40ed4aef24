import { Initial1763700000000 } from './1763700000000-initial.js';
import { RateLimit1763700000001 } from './1763700000001-rate-limit.js';
import { RunningSums1763700000002 } from './1763700000002-running-sums.js';
import { BoundedReads1763700000003 } from './1763700000003-bounded-reads.js';
import { WorkflowKinds1763700000004 } from './1763700000004-workflow-kinds.js';
import { ImageFaces1763700000005 } from './1763700000005-image-faces.js';
import { Deliveries1763700000006 } from './1763700000006-deliveries.js';
import { CollectionLife1763700000007 } from './1763700000007-collection-life.js';
import { Thumbnails1763700000008 } from './1763700000008-thumbnails.js';
import { Encryption1763700000009 } from './1763700000009-encryption.js';
import { Provenance1763700000010 } from './1763700000010-provenance.js';
import { MissingFiles1763700000012 } from './1763700000012-missing-files.js';
import { Pauses1763700000013 } from './1763700000013-pauses.js';
import { PrunableJobs1763700000014 } from './1763700000014-prunable-jobs.js';
import { OpenGenerations1763700000015 } from './1763700000015-open-generations.js';

/** Every migration, oldest first. */
export const migrations = [
  Initial1763700000000, RateLimit1763700000001, RunningSums1763700000002, BoundedReads1763700000003,
  WorkflowKinds1763700000004, ImageFaces1763700000005, Deliveries1763700000006,
  CollectionLife1763700000007, Thumbnails1763700000008, Encryption1763700000009, Provenance1763700000010,
  MissingFiles1763700000012, Pauses1763700000013, PrunableJobs1763700000014, OpenGenerations1763700000015,
];
