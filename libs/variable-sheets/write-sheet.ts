import { stringify } from 'csv-stringify/sync';
import type { FieldFault } from '#libs/errors/app-error.js';
import { validationError } from '#libs/errors/errors.js';
import type { Json, VariableDefinition, Variables } from '#libs/instruction-set/instruction-set.js';
import { cellOf, COLUMNS, guarded, type Column } from './cells.js';

/**
 * Variables as a CSV file for spreadsheets: UTF-8 with its mark, commas, CRLF. A record's become fixed ones. Throws 400
 * naming those of a record that are neither texts nor numbers.
 */
export function writeSheet(variables: Variables): string {
  const rows = listOf(variables).flatMap(rowsOf);
  return stringify(rows, {
    header: true,
    columns: [...COLUMNS],
    bom: true,
    record_delimiter: 'windows',
    quoted_match: /[\r\n\t;']|^\s|\s$/,
  });
}

function listOf(variables: Variables): VariableDefinition[] {
  if (Array.isArray(variables)) return variables;
  const faults: FieldFault[] = [];
  const list = Object.entries(variables).map(([name, value]): VariableDefinition => {
    if (typeof value !== 'string' && typeof value !== 'number') {
      faults.push({ field: `variables.${name}`, message: 'is neither a text nor a number: a sheet cannot hold it' });
    }
    return { name, type: 'fixed', value_type: typeof value === 'number' ? 'numbers' : 'strings', value: { values: [value] } };
  });
  if (faults.length > 0) throw validationError(faults);
  return list;
}

function rowsOf({ name, type, value_type, value, lock_value, test_value }: VariableDefinition): Array<Record<Column, string>> {
  const { values, display_names = [], weights = [] } = value;
  return values.map((item: Json, index) => ({
    name: guarded(name),
    type: index === 0 ? type : '',
    value_type: index === 0 ? value_type : '',
    value: cellOf(item),
    display_name: display_names.length > 0 ? guarded(display_names[index] ?? '') : '',
    weight: weights.length > 0 ? String(weights[index] ?? '') : '',
    lock_value: index === 0 && lock_value !== undefined ? String(lock_value) : '',
    test_value: index === 0 && test_value !== undefined && test_value !== null ? cellOf(test_value) : '',
  }));
}
