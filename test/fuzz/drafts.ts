import { createDraftQueue } from '#libs/queue/index.js';

/** Answers drafts in place of a worker, so that none is waited for. Gives what stops it. */
export async function serveDrafts(databaseUrl: string): Promise<() => Promise<void>> {
  const drafts = await createDraftQueue({ databaseUrl });
  drafts.serve(async () => ({ ok: false, code: 'SKETCH_ERROR', message: 'none is drawn here', logs: [] }));
  return () => drafts.close();
}
