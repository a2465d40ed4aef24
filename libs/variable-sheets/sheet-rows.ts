import { CsvError, parse } from 'csv-parse/sync';
import { fieldError, validationError } from '#libs/errors/errors.js';
import { COLUMNS, type Column } from './cells.js';

const MAX_ROWS = 10_000;
const MAX_ROW_LENGTH = 64 * 1024;
const DELIMITERS = [',', ';', '\t'] as const;
/** What U+0000 and lone surrogates are is not to be stored. */
const UNSTORABLE = /[\0\p{Cs}]/u;

export interface SheetRow {
  /** As the spreadsheet counts it, from 1. */
  number: number;
  cells: Record<Column, string>;
}

export interface Sheet {
  rows: SheetRow[];
  /** Commas separate no cells: they may stand in numbers. */
  mayHaveComma: boolean;
}

/**
 * The rows of a CSV file as spreadsheets save it: UTF-8 or UTF-16 with or without its mark, cells separated by commas,
 * semicolons or tabs, as the first line has them. Columns may be in any order, and those that are not needed missing.
 * Throws 400.
 */
export function readRows(bytes: Buffer): Sheet {
  const text = textOf(bytes);
  // Excel's own word for the separator.
  const [told, separator] = /^sep=(.)\r?\n/i.exec(text) ?? [];
  const delimiter = separator ?? delimiterOf(text);
  const records = recordsOf(told ? text.slice(told.length) : text, delimiter);
  const [head, ...body] = records;
  const columns = columnsOf(head ?? []);
  const before = told ? 3 : 2;
  const rows = body
    .map((record, index) => ({ number: index + before, cells: cellsOf(record, columns) }))
    .filter(({ cells }) => Object.values(cells).some((cell) => cell !== ''));
  if (rows.length > MAX_ROWS) throw fieldError('rows', `must not be more than ${MAX_ROWS}`);
  return { rows, mayHaveComma: delimiter !== ',' };
}

function textOf(bytes: Buffer): string {
  const isUtf16 = bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe;
  try {
    const text = new TextDecoder(isUtf16 ? 'utf-16le' : 'utf-8', { fatal: true }).decode(bytes);
    if (!UNSTORABLE.test(text)) return text;
  } catch {
    throw fieldError('body', 'must be saved as UTF-8');
  }
  throw fieldError('body', 'must not hold U+0000 or a lone surrogate');
}

/** The one that the first line has the most of. */
function delimiterOf(text: string): string {
  const [line = ''] = text.split(/[\r\n]/, 1);
  const count = (delimiter: string) => line.split(delimiter).length;
  return DELIMITERS.reduce((best, each) => (count(each) > count(best) ? each : best));
}

function recordsOf(text: string, delimiter: string): string[][] {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      max_record_size: MAX_ROW_LENGTH,
      // One more tells that there are too many.
      to: MAX_ROWS + 2,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { records } = error as CsvError & { records?: number };
    throw fieldError(`rows[${(records ?? 0) + 1}]`, SENTENCES[error.code] ?? 'cannot be read as CSV');
  }
}

const SENTENCES: Partial<Record<CsvError['code'], string>> = {
  CSV_MAX_RECORD_SIZE: `must not have more than ${MAX_ROW_LENGTH} characters`,
  CSV_QUOTE_NOT_CLOSED: 'has a quote that is not closed',
  INVALID_OPENING_QUOTE: 'has a quote in the middle of a cell: double it, and put the cell into quotes',
  CSV_INVALID_CLOSING_QUOTE: 'has text after the quote that closes a cell',
};

/** Which column each place of a row is; null: one without a name, whose cells are not looked at. */
function columnsOf(head: string[]): Array<Column | null> {
  const names = head.map((cell) => cell.trim().toLowerCase().replace(/[ -]/g, '_'));
  const faults = names.flatMap((name, index) => {
    if (name === '') return [];
    if (!COLUMNS.includes(name as Column)) return [`is not a column: "${head[index]?.slice(0, 100)}"`];
    return names.indexOf(name) < index ? [`is there twice: "${name}"`] : [];
  });
  for (const needed of ['name', 'value'] as const) if (!names.includes(needed)) faults.push(`has no column "${needed}"`);
  if (faults.length > 0) throw validationError(faults.map((message) => ({ field: 'rows[1]', message })));
  return names.map((name) => (name === '' ? null : (name as Column)));
}

function cellsOf(record: string[], columns: Array<Column | null>): Record<Column, string> {
  const cells = Object.fromEntries(COLUMNS.map((column) => [column, ''])) as Record<Column, string>;
  for (const [index, column] of columns.entries()) if (column) cells[column] = record[index] ?? '';
  return cells;
}
