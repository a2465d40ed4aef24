import type { NodeDefinition } from './node.js';

/** Names match ignoring case and `. _ -`: `P5.js`, `p5js` and `p5_JS` are one. */
export const normalizeNodeName = (name: string): string => name.toLowerCase().replace(/[._-]/g, '');

/** Finds node types by name or alias. Two definitions with one spelling are refused at start. */
export class NodeRegistry {
  private readonly byName = new Map<string, NodeDefinition>();

  /** `stored`: stored workflows as nodes. A built-in node's name is never theirs, and theirs match exactly. */
  constructor(
    readonly definitions: readonly NodeDefinition[],
    private readonly stored: ReadonlyMap<string, NodeDefinition> = new Map(),
  ) {
    for (const definition of definitions) {
      for (const name of new Set([definition.name, ...definition.aliases].map(normalizeNodeName))) {
        const taken = this.byName.get(name);
        if (taken) throw new Error(`Nodes ${taken.name} and ${definition.name} share the name ${name}`);
        this.byName.set(name, definition);
      }
    }
  }

  find(name: string): NodeDefinition | undefined {
    return this.byName.get(normalizeNodeName(name)) ?? this.stored.get(name);
  }

  /** These nodes and the workflows that a set's steps name. */
  with(workflows: readonly NodeDefinition[]): NodeRegistry {
    if (workflows.length === 0) return this;
    return new NodeRegistry(this.definitions, new Map(workflows.map((node) => [node.name, node])));
  }
}
