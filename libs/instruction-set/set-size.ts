import type { FieldFault } from '#libs/errors/app-error.js';
import { filledSize } from './fill-budget.js';
import type { Json, JsonObject, Step } from './instruction-set.js';
import { placeholdersOf } from './template.js';

/**
 * Of all payloads of a set together. Each text and object is looked at several times and each reference
 * followed, in a process that does nothing else meanwhile.
 */
const MAX_PLACES = 20_000;
const MAX_REFERENCES = 10_000;
const MAX_FILLED_BYTES = 4 * 1024 ** 2;

/** What is wrong with a set's size, at the step with which it becomes too large; null: nothing. */
export function sizeFault(steps: readonly Step[], variables: JsonObject): FieldFault | null {
  const size = new SetSize(variables);
  for (const [index, { nodePayload }] of steps.entries()) {
    const message = size.add(nodePayload);
    if (message !== null) return { field: `steps[${index}].nodePayload`, message };
  }
  return null;
}

class SetSize {
  private places = 0;
  private references = 0;
  private filledBytes = 0;
  private readonly sizes = new Map<string, number>();

  constructor(private readonly variables: JsonObject) {}

  /** Why the set is too large with this payload; null: it is not. Ends as soon as it is. */
  add(payload: JsonObject): string | null {
    this.weigh(payload);
    if (this.places > MAX_PLACES) return `makes the texts and objects of all steps more than ${MAX_PLACES}`;
    if (this.references > MAX_REFERENCES) return `makes the references of all steps more than ${MAX_REFERENCES}`;
    if (this.filledBytes <= MAX_FILLED_BYTES) return null;
    return `makes what variables fill into all steps more than ${MAX_FILLED_BYTES / 1024 ** 2} MiB`;
  }

  private get isOver(): boolean {
    return (
      this.places > MAX_PLACES || this.references > MAX_REFERENCES || this.filledBytes > MAX_FILLED_BYTES
    );
  }

  private weigh(value: Json): void {
    if (typeof value === 'string') return this.weighText(value);
    if (typeof value !== 'object' || value === null) return;
    this.places++;
    if (!Array.isArray(value) && Object.hasOwn(value, '$ref')) this.references++;
    for (const member of Object.values(value)) {
      if (this.isOver) return;
      this.weigh(member);
    }
  }

  private weighText(text: string): void {
    this.places++;
    if (!text.includes('{{')) return;
    const found = placeholdersOf(text);
    this.references += found.length;
    for (const part of found) {
      if (part.kind === 'variable') this.filledBytes += this.sizeOf(part.name);
    }
  }

  private sizeOf(name: string): number {
    const known = this.sizes.get(name);
    if (known !== undefined) return known;
    const value = Object.hasOwn(this.variables, name) ? this.variables[name] : undefined;
    const size = filledSize(value);
    this.sizes.set(name, size);
    return size;
  }
}
