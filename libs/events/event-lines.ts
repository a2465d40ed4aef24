import type { Logger } from 'pino';
import type { JobEvent } from './job-event.js';

/** Told of every change of state that was committed. */
export type EventObserver = (events: readonly JobEvent[], userId: string) => void;

/** One log line per change of state, with ids only: outputs and messages may hold prompts. */
export const logEvents =
  (logger: Logger): EventObserver =>
  (events, userId) => {
    for (const { type, seq, job_id, generation_id, step_id, node, attempt, error } of events) {
      const ids = { user_id: userId, job_id, generation_id, step_id };
      logger.info({ ...ids, seq, node, attempt, code: error?.code }, type);
    }
  };
