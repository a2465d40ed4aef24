import { traced, tracepoint, type Passage } from '#libs/tracepoints/tracepoints.js';
import type {
  Attempt, Claim, ClaimRequest, FinishedStep, GenerationState, GenerationStore, Lease, OutputAsset, StepFailure,
  StepStart, StepWaiting, StoredFile,
} from './generation-store.js';

/** A store that says what it is about to commit, and that it has. */
export class TracedStore implements GenerationStore {
  constructor(private readonly store: GenerationStore) {}

  async claim(request: ClaimRequest): Promise<Claim | undefined> {
    tracepoint('claim.before');
    const claim = await this.store.claim(request);
    if (claim) tracepoint('claim.after', passageOf(claim.lease));
    return claim;
  }

  begin(lease: Lease, state: GenerationState, starts: StepStart[]): Promise<Attempt[]> {
    return traced('begin', () => this.store.begin(lease, state, starts), passageOf(lease));
  }

  keepFiles(lease: Lease, state: GenerationState, stepId: string, files: StoredFile[]): Promise<OutputAsset[]> {
    const passage = { ...passageOf(lease), stepId };
    return traced('files', () => this.store.keepFiles(lease, state, stepId, files), passage);
  }

  checkpoint(
    lease: Lease,
    state: GenerationState,
    finished: FinishedStep[],
    starts: StepStart[],
  ): Promise<Attempt[]> {
    const passage = passageOf(lease, finished[0]?.attempt);
    return traced('checkpoint', () => this.store.checkpoint(lease, state, finished, starts), passage);
  }

  finish(lease: Lease, state: GenerationState, finished: FinishedStep[], starts: StepStart[] = []): Promise<void> {
    const passage = passageOf(lease, finished[0]?.attempt);
    return traced('settlement', () => this.store.finish(lease, state, finished, starts), passage);
  }

  waitStep(lease: Lease, attempt: Attempt, waiting: StepWaiting): Promise<void> {
    return traced('wait', () => this.store.waitStep(lease, attempt, waiting), passageOf(lease, attempt));
  }

  failStep(lease: Lease, attempt: Attempt, failure: StepFailure, retryInMs: number | null): Promise<void> {
    const passage = passageOf(lease, attempt);
    return traced('failure', () => this.store.failStep(lease, attempt, failure, retryInMs), passage);
  }

  park(lease: Lease, wakeSeq: number, wakeInMs: number | null): Promise<'parked' | number> {
    return traced('park', () => this.store.park(lease, wakeSeq, wakeInMs), passageOf(lease));
  }

  handBack(lease: Lease): Promise<void> {
    return traced('handback', () => this.store.handBack(lease), passageOf(lease));
  }

  breakOff(lease: Lease): Promise<void> {
    return traced('break-off', () => this.store.breakOff(lease), passageOf(lease));
  }
}

const passageOf = ({ jobId, generationId }: Lease, attempt?: Attempt): Passage => ({
  jobId,
  generationId,
  ...(attempt && { stepId: attempt.stepId }),
});
