import type { FieldFault } from '#libs/errors/app-error.js';
import { validationError } from '#libs/errors/errors.js';
import { checkVariables } from '#libs/instruction-set/check-variables.js';
import type { Json, VariableDefinition } from '#libs/instruction-set/instruction-set.js';
import { CellFault, flagIn, numberIn, unguarded, valueIn, wordIn, type Column } from './cells.js';
import { readRows, type Sheet, type SheetRow } from './sheet-rows.js';

const TYPES = ['fixed', 'pick', 'weighted_pick', 'range'] as const;
const VALUE_TYPES = ['strings', 'numbers', 'images'] as const;

/** A variable's rows, which stand together. */
interface Block {
  name: string;
  rows: [SheetRow, ...SheetRow[]];
}

/** Variables of a sheet, and where in it each of their parts stands. */
export interface ReadSheet {
  variables: VariableDefinition[];
  /** The place of a path inside the variables (`[1].value.weights[2]`). */
  placeOf(path: string): { field: string; place: string };
}

/**
 * The list of variables that a CSV file holds, as `writeSheet` writes it or as a spreadsheet saves it. A row without a
 * name goes on with the variable above. Throws 400, naming row and column of every fault.
 */
export function readSheet(bytes: Buffer): ReadSheet {
  const sheet = readRows(bytes);
  const reading = new Reading(sheet);
  const blocks = blocksOf(sheet.rows, reading);
  const variables = blocks.map((block) => reading.definition(block));
  if (reading.faults.length > 0) throw validationError(reading.faults);
  const placeOf = (path: string) => placeIn(blocks, path);
  const faults = checkVariables(variables).map(({ path, message }) => faultAt(placeOf(path), message));
  if (faults.length > 0) throw validationError(faults);
  return { variables, placeOf };
}

export const faultAt = ({ field, place }: { field: string; place: string }, message: string): FieldFault => ({
  field, message: place === '' ? message : `${place}: ${message}`,
});

const at = (row: number, column: Column) => ({ field: `rows[${row}].${column}`, place: `row ${row}, column ${column}` });

function blocksOf(rows: SheetRow[], reading: Reading): Block[] {
  const blocks: Block[] = [];
  for (const row of rows) {
    const name = unguarded(row.cells.name.trim());
    const last = blocks.at(-1);
    if (last && (row.cells.name.trim() === '' || name === last.name)) last.rows.push(row);
    else {
      if (blocks.some((block) => block.name === name)) reading.fault(row, 'name', 'has rows further above: keep the rows of a variable together');
      blocks.push({ name, rows: [row] });
    }
  }
  return blocks;
}

/** Turns cells into definitions, and collects what is wrong with them. */
class Reading {
  readonly faults: FieldFault[] = [];

  constructor(private readonly sheet: Pick<Sheet, 'mayHaveComma'>) {}

  fault({ number }: SheetRow, column: Column, message: string): void {
    this.faults.push(faultAt(at(number, column), message));
  }

  definition({ name, rows }: Block): VariableDefinition {
    const [first] = rows;
    const value_type = this.said(rows, 'value_type', (cell) => wordIn(cell, VALUE_TYPES)) ?? 'strings';
    if (first.cells.value_type === '') this.fault(first, 'value_type', `must be ${VALUE_TYPES.join(', ')}`);
    if (first.cells.type === '') this.fault(first, 'type', `must be ${TYPES.join(', ')}`);
    const lock_value = this.said(rows, 'lock_value', flagIn);
    const test_value = this.said(rows, 'test_value', (cell) => this.value(cell, value_type));
    return {
      name,
      type: this.said(rows, 'type', (cell) => wordIn(cell, TYPES)) ?? 'fixed',
      value_type,
      value: {
        ...this.list(rows, 'display_name', 'display_names', unguarded),
        values: rows.map((row) => this.read(row, 'value', (cell) => this.value(cell, value_type)) ?? ''),
        ...this.list(rows, 'weight', 'weights', (cell) => numberIn(cell, this.sheet.mayHaveComma)),
      },
      ...(lock_value !== undefined && { lock_value }),
      ...(test_value !== undefined && { test_value }),
    };
  }

  private value(cell: string, type: VariableDefinition['value_type']): Json {
    return valueIn(cell, type, this.sheet.mayHaveComma);
  }

  /** What is said of the whole variable: in its first row, or the same again further down. */
  private said<Value>(rows: Block['rows'], column: Column, read: (cell: string) => Value): Value | undefined {
    const [first, ...more] = rows;
    for (const row of more) {
      const cell = row.cells[column];
      if (cell !== '' && cell !== first.cells[column]) this.fault(row, column, 'is another than in the first row of the variable');
    }
    return first.cells[column] === '' ? undefined : this.read(first, column, read);
  }

  /** A list beside the values: of all rows, or none where no row has it. */
  private list<Item, Key extends string>(
    rows: Block['rows'],
    column: Column,
    key: Key,
    read: (cell: string) => Item,
  ): Partial<Record<Key, Item[]>> {
    if (rows.every(({ cells }) => cells[column] === '')) return {};
    const items = rows.map((row) => this.read(row, column, read) as Item);
    return { [key]: items } as Record<Key, Item[]>;
  }

  private read<Value>(row: SheetRow, column: Column, read: (cell: string) => Value): Value | undefined {
    try {
      return read(row.cells[column]);
    } catch (error) {
      if (!(error instanceof CellFault)) throw error;
      this.fault(row, column, error.message);
      return undefined;
    }
  }
}

const PARTS: ReadonlyArray<[start: string, column: Column]> = [
  ['value.display_names', 'display_name'], ['value.weights', 'weight'], ['value_type', 'value_type'], ['value', 'value'],
  ['name', 'name'], ['type', 'type'], ['lock_value', 'lock_value'], ['test_value', 'test_value'],
];

function placeIn(blocks: Block[], path: string): { field: string; place: string } {
  const [, variable, part = '', item] = /^\[(\d+)\]\.?([a-z_.]*)(?:\[(\d+)\])?/.exec(path) ?? [];
  const rows = blocks[Number(variable)]?.rows;
  if (!rows) return { field: 'body', place: '' };
  const column = PARTS.find(([start]) => part.startsWith(start))?.[1] ?? 'name';
  return at((rows[Number(item ?? 0)] ?? rows[0]).number, column);
}
