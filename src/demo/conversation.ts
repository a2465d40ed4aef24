import type { Platen } from '#libs/client/index.js';
import { say } from './demo-face.js';

const WIDTH = 100;
const LONGEST_TEXT = 68;

/** Talks to Platen and prints it: each request, and of its answer the fields that a newcomer looks for. */
export class Conversation {
  private chapter = 0;
  private askedAt = 0;

  constructor(private readonly client: Platen) {}

  begin(title: string): void {
    this.chapter++;
    say(`\n${this.chapter}  ${title}`);
  }

  async post<Data extends object>(
    path: string,
    body: object,
    shown: ReadonlyArray<keyof Data & string>,
    headers: Record<string, string> = {},
  ): Promise<Data> {
    const names = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const content = body instanceof FormData ? [partsOf(body)] : fieldsOf(body);
    say(`\n   POST ${path}`);
    for (const line of [...names, ...content]) say(`   ${line}`);
    this.askedAt = performance.now();
    const data = await this.client.request<Data>('post', path, { body, headers });
    this.answer(data, shown);
    return data;
  }

  /** What an answer says, of these fields. */
  answer<Data extends object>(data: Data, shown: ReadonlyArray<keyof Data & string>): void {
    const lines = fieldsOf(Object.fromEntries(shown.map((name) => [name, data[name]])));
    lines.forEach((line, index) => say(`   ${index === 0 ? '→' : ' '} ${line}`));
  }

  /** What has become of it, so long after it was asked for. */
  news(text: string): void {
    const seconds = ((performance.now() - this.askedAt) / 1000).toFixed(1);
    say(`     ${seconds.padStart(4)} s  ${text}`);
  }
}

/** As JSON, as many fields in a line as have room. */
function fieldsOf(data: object): string[] {
  const fields = Object.entries(data).map(([name, value]) => `"${name}": ${JSON.stringify(value, shortened)}`);
  const lines: string[] = [];
  for (const field of fields) {
    const line = lines.at(-1);
    if (line === undefined || line.length + field.length > WIDTH) lines.push(field);
    else lines[lines.length - 1] = `${line}, ${field}`;
  }
  return lines.map((line, index) =>
    `${index === 0 ? '{' : ' '} ${line}${index === lines.length - 1 ? ' }' : ','}`);
}

const shortened = (_name: string, value: unknown): unknown =>
  typeof value === 'string' && value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;

/** As curl is given them. */
function partsOf(form: FormData): string {
  const parts = [...form].map(([name, value]) =>
    typeof value === 'string' ? `-F ${name}='${value}'` : `-F ${name}=@${value.name}`);
  return parts.join(' ');
}
