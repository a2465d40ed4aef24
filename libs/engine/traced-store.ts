import { traced, type Passage } from '#libs/tracepoints/tracepoints.js';
import type {
  Attempt, GenerationState, GenerationStore, Lease, StepFailure, StepOutput, StepResult, StepStart, StepWaiting,
} from './generation-store.js';

/** A store that says what it is about to commit, and that it has. */
export class TracedStore implements GenerationStore {
  constructor(private readonly store: GenerationStore) {}

  begin(lease: Lease): Promise<GenerationState | null> {
    return traced('begin', () => this.store.begin(lease), passageOf(lease));
  }

  startSteps(lease: Lease, starts: StepStart[]): Promise<Attempt[]> {
    return traced('attempt', () => this.store.startSteps(lease, starts), passageOf(lease));
  }

  completeStep(lease: Lease, attempt: Attempt, result: StepResult): Promise<StepOutput> {
    const passage = passageOf(lease, attempt);
    return traced('checkpoint', () => this.store.completeStep(lease, attempt, result), passage);
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
