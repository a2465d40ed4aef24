import type { Subject } from '../subject.js';
import { chain } from './chain.js';
import { collections } from './collections.js';
import { endToEnd } from './end-to-end.js';
import { growth } from './growth.js';
import { javascript } from './javascript.js';
import { memory } from './memory.js';
import { p5 } from './p5.js';
import { sse } from './sse.js';
import { submission } from './submission.js';

/** All subjects, in the order they run in. */
export const subjects: Subject[] = [submission, endToEnd, chain, javascript, p5, sse, memory, growth, collections];
