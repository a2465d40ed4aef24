export class Liveness {
  status: 'ok';
}

export class Readiness {
  status: 'ready';
  /** What is away without keeping requests from being taken. */
  degraded: string[];
}
