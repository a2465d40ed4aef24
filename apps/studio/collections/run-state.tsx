import type { Job } from '../api/shapes.js';
import { hrefOf } from '../app/router.js';
import { counted } from '../elements/amounts.js';
import { Progress } from '../elements/progress.js';
import { HELD_BACK, hasEnded } from '../jobs/job-state.js';

/** How one job of a collection goes on; nothing once it has ended well. */
export function RunState({ job, isConnected }: { job: Job; isConnected: boolean }) {
  if (job.status === 'completed') return null;
  const { completed, failed, total } = job.counts;
  const isOpen = !hasEnded(job.status);
  return (
    <section class="run" aria-label="Progress">
      {isOpen && <Progress percent={job.progress} label="All editions" />}
      <p aria-live="polite">
        <span>{sayOf(job)}</span>
        <span>{completed} of {counted(total, 'edition')}</span>
        {failed > 0 && <span class="fault">{failed} failed</span>}
        {isOpen && !isConnected && <span class="fault">Connection lost: coming back …</span>}
        <a href={hrefOf(`/jobs/${job.id}`)}>Steps</a>
      </p>
    </section>
  );
}

function sayOf({ status, paused, queue_position: position }: Job): string {
  if (paused && !hasEnded(status)) return HELD_BACK;
  if (status === 'pending') return position !== null && position > 1 ? `${position - 1} before you` : 'Waiting for a worker';
  if (status === 'processing') return 'Being made';
  return status === 'failed' ? 'Not all could be made' : 'Cancelled';
}
