/** What the states of jobs, editions, steps and collections are called here. */
const NAMES: Record<string, string> = {
  pending: 'Waiting', processing: 'At work', running: 'At work', waiting: 'Paused', completed: 'Finished', failed: 'Failed',
  cancelled: 'Cancelled', draft: 'Draft', published: 'Published',
};

export const statusName = (status: string): string => NAMES[status] ?? status;

export function Status({ of: status }: { of: string }) {
  return <span class="status" data-status={status}>{statusName(status)}</span>;
}
