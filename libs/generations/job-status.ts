const ENDED = new Set(['completed', 'failed', 'cancelled']);

/** Whether nothing more happens to a job of this status, until a resume. */
export const hasEnded = (status: string): boolean => ENDED.has(status);
