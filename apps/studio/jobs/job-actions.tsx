import { useState } from 'preact/hooks';
import { sentenceOf } from '../api/client.js';
import { cancelJob, resumeJob } from '../api/platen.js';
import type { Job } from '../api/shapes.js';
import { refreshBalance } from '../credits/balance.js';
import { hasEnded } from './job-state.js';

/** Stops a job, or runs what failed or was cancelled again. */
export function JobActions({ job, onResumed }: { job: Job; onResumed: () => void }) {
  const [said, say] = useState('');
  const act = async (change: Promise<Job>, after: () => void) => {
    say('');
    try {
      await change;
      after();
      void refreshBalance();
    } catch (error) {
      say(sentenceOf(error));
    }
  };
  return (
    <div class="publish">
      {!hasEnded(job.status) && (
        <button type="button" onClick={() => act(cancelJob(job.id), () => undefined)}>Cancel</button>
      )}
      {['failed', 'cancelled'].includes(job.status) && (
        <button type="button" class="primary" onClick={() => act(resumeJob(job.id), onResumed)}>
          Try again
        </button>
      )}
      <span class="fault" role="status">{said}</span>
    </div>
  );
}
