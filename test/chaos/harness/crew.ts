import type { Variables } from '../../e2e/processes.js';
import type { Program } from '../../e2e/program.js';
import type { Storm } from './storm.js';

/** Workers that are replaced as soon as one has died, by whatever hand. */
export class Crew {
  /** Those that run, with what they were started with; some of them may still be starting. */
  readonly members = new Map<Program, Variables>();
  private readonly places: Array<Promise<void>> = [];
  private dismissed = false;
  deaths = 0;

  private constructor(
    private readonly storm: Storm,
    private readonly variablesOfNext: () => Variables,
    private readonly onDeath: (member: Program) => Promise<void>,
  ) {}

  /**
   * `variablesOfNext` is asked for each worker that starts, `onDeath` told of each that died. Resolves once the
   * first ones are ready.
   */
  static async of(
    storm: Storm,
    size: number,
    variablesOfNext: () => Variables = () => ({}),
    onDeath: (member: Program) => Promise<void> = async () => undefined,
  ): Promise<Crew> {
    const crew = new Crew(storm, variablesOfNext, onDeath);
    await Promise.all(Array.from({ length: size }, () => new Promise<void>((ready) => crew.fill(ready))));
    return crew;
  }

  /** Workers that take generations, and are not to die at a point of their own. */
  get victims(): Program[] {
    const ready = [...this.members].filter(([{ output }, { CRASH_POINT }]) => !CRASH_POINT && /is ready/.test(output));
    return ready.map(([member]) => member);
  }

  /** No one is replaced any more, and the ones that run are killed. */
  async dismiss(): Promise<void> {
    this.dismissed = true;
    for (const member of this.members.keys()) member.signal('SIGKILL');
    await Promise.all(this.places);
  }

  /** Keeps one place filled for as long as the crew is wanted. */
  private fill(ready: () => void): void {
    this.places.push(
      (async () => {
        while (!this.dismissed && this.storm.town.isOpen) {
          const variables = this.variablesOfNext();
          const member = this.storm.town.beginWorker(variables);
          this.members.set(member, variables);
          // One that dies before it is ready has died all the same.
          await Promise.race([member.prints(/^The worker is (ready)/m).catch(() => undefined), member.exited]);
          ready();
          await member.exited;
          this.members.delete(member);
          this.deaths += 1;
          this.storm.did('workers died');
          if (!this.dismissed) await this.onDeath(member);
        }
      })(),
    );
  }
}
