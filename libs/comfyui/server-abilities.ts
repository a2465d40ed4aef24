import { LRUCache } from 'lru-cache';
import { isObject } from './graph.js';
import type { ServerHttp } from './server-http.js';

/** How long an answer is believed: nodes and models come and go while a server runs. */
const BELIEVED_MS = 30_000;
const KEPT = 2_000;
/** Classes that are asked for one by one; for more, all that the server has are asked for at once. */
const MAX_QUESTIONS = 20;

/** Which node classes and model files a server has, by its own word. All may throw `ServerUnreachable`. */
export class ServerAbilities {
  private readonly answers = new LRUCache<string, Promise<unknown>>({ max: KEPT, ttl: BELIEVED_MS });

  constructor(
    private readonly http: ServerHttp,
    private readonly prefix: () => Promise<string>,
  ) {}

  /** The classes that it lacks. One that tells nothing of its classes is believed to have all. */
  async lackedClasses(names: readonly string[]): Promise<string[]> {
    const isAll = names.length > MAX_QUESTIONS;
    const infos = await Promise.all(
      (isAll ? [''] : names).map((name) => this.ask(`/object_info${name && `/${encodeURIComponent(name)}`}`)),
    );
    return names.filter((name, index) => {
      const info = infos[isAll ? 0 : index];
      return info !== null && !(isObject(info) && Object.hasOwn(info, name));
    });
  }

  /** Whether the folder `kind` has a file. Servers that do not list folders tell it by their nodes' choices. */
  async hasModel(kind: string, file: string): Promise<boolean> {
    const files = await this.ask(`/models/${encodeURIComponent(kind)}`);
    if (Array.isArray(files)) return files.some((name) => samePath(name, file));
    if (Array.isArray(await this.ask('/models'))) return false;
    return (await this.choices()).some((name) => samePath(name, file));
  }

  forget(): void {
    this.answers.clear();
  }

  private async choices(): Promise<unknown[]> {
    const classes = Object.values(Object(await this.ask('/object_info')) as Record<string, unknown>);
    return classes.flatMap((info) => {
      const { required, optional } = Object(Object(info).input) as Record<string, unknown>;
      return [...Object.values(Object(required)), ...Object.values(Object(optional))].flatMap(choicesOf);
    });
  }

  /** At most one request for one thing at a time. */
  private ask(path: string): Promise<unknown> {
    const known = this.answers.get(path);
    if (known) return known;
    const answer = this.prefix().then((prefix) => this.http.get(prefix + path));
    this.answers.set(path, answer);
    answer.catch(() => this.answers.delete(path));
    return answer;
  }
}

/** Of an input: `[["a", "b"], …]`, or `["COMBO", { options: ["a", "b"] }]`. */
function choicesOf(config: unknown): unknown[] {
  const [kind, more] = Array.isArray(config) ? config : [];
  if (Array.isArray(kind)) return kind;
  const { options } = Object(more) as { options?: unknown };
  return Array.isArray(options) ? options : [];
}

/** Servers on Windows name files in folders with a backslash. */
const samePath = (one: unknown, other: string): boolean =>
  typeof one === 'string' && one.replaceAll('\\', '/') === other.replaceAll('\\', '/');
