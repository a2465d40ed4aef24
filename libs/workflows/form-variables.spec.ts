import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonObject } from '#libs/instruction-set/instruction-set.js';
import { formSchema } from './form-schema.js';
import { validateVariables } from './form-variables.js';
import type { AuthoredForm, FormField } from './form.js';

const form: AuthoredForm = {
  fields: [
    { id: 'prompt', name: 'Prompt', type: 'prompt_editor', required: true },
    { id: 'steps', type: 'slider', default: 20, constraints: { min: 5, max: 50, step: 5 } },
    { id: 'strength', type: 'input', input_type: 'number', constraints: { min: 0, max: 1, step: 0.1 } },
    { id: 'style', type: 'select', is_required: true, options: [{ value: 'ink', label: 'Ink' }, { value: 'oil', name: 'Oil' }] },
    { id: 'tile', type: 'checkbox', default: false },
    { id: 'ink', type: 'color_picker', default: '#000000' },
    { id: 'ratio', type: 'aspect_ratio' },
    { id: 'image', type: 'image_loader' },
    { id: 'note', type: 'optional_input', required: true },
    { id: 'plain' },
  ],
};
const sound = { prompt: 'a fox', style: 'ink' };
const check = (variables: JsonObject, of: AuthoredForm = form) => validateVariables(of, variables);
const faultsOf = (variables: JsonObject) =>
  Object.fromEntries(check({ ...sound, ...variables }).faults.map(({ field, message }) => [field, message]));
const valueOf = (field: FormField, value: JsonObject[string]) => {
  const { values, faults } = check({ [field.id]: value }, { fields: [field] });
  return faults.length > 0 ? 'refused' : values[field.id];
};

describe('validateVariables', () => {
  it('fills in defaults', () => {
    expect(check(sound)).toEqual({
      values: { prompt: 'a fox', steps: 20, style: 'ink', tile: false, ink: '#000000' },
      faults: [],
    });
  });

  it('tells all faults at once, each with its field', () => {
    expect(
      faultsOf({
        prompt: '', steps: 55, strength: 'lots', style: 'pencil', tile: 'yes', ink: 'red', ratio: 'wide', image: 'file:///x',
        plain: 7, colour: 'blue',
      }),
    ).toEqual({
      'variables.prompt': 'Required field missing',
      'variables.steps': 'must be between 5 and 50',
      'variables.strength': 'must be number',
      'variables.style': 'must be one of ink, oil',
      'variables.tile': 'must be boolean',
      'variables.ink': 'must be a color like #1e90ff',
      'variables.ratio': 'must be a ratio like 16:9',
      'variables.image': 'must be an http(s) URL or the id of an asset',
      'variables.plain': 'must be string',
      'variables.colour': 'is not a known field',
    });
  });

  it('requires what is required, in both spellings, except where a default or the type says otherwise', () => {
    expect(check({}).faults.map(({ field }) => field)).toEqual(['variables.prompt', 'variables.style']);
    const preset: AuthoredForm = { fields: [{ id: 'a', required: true, default: 'x' }, { id: 'b', required: true, default: '' }] };
    expect(check({}, preset).faults.map(({ field }) => field)).toEqual(['variables.b']);
  });

  it('takes numbers as strings where the field is a number', () => {
    expect(check({ ...sound, steps: '25', strength: ' .5 ' }).values).toMatchObject(
      { steps: 25, strength: 0.5 },
    );
    const slider: FormField = { id: 'n', type: 'slider' };
    for (const text of ['abc', '0x10', 'Infinity', '1e999', '1,5', '1 2']) expect(valueOf(slider, text)).toBe('refused');
    expect(valueOf({ id: 'n', type: 'prompt_editor' }, '20')).toBe('20');
    expect(valueOf({ id: 'n', type: 'select', options: [{ value: 1 }, { value: 2 }] }, '2')).toBe(2);
    expect(valueOf({ id: 'n', type: 'select', options: [{ value: '1' }] }, '1')).toBe('1');
    expect(valueOf({ id: 'n', type: 'input', default: 3 }, '4')).toBe(4);
  });

  it('reads decimal notation, all of it and nothing else', () => {
    const slider: FormField = { id: 'n', type: 'slider' };
    const read = { '7': 7, ' 7 ': 7, '+7': 7, '-7': -7, '007': 7, '7.': 7, '.5': 0.5, '-0.5': -0.5, '7e2': 700, '7E-2': 0.07, '1.5e+3': 1_500 };
    for (const [text, number] of Object.entries(read)) expect([text, valueOf(slider, text)]).toEqual([text, number]);
    const none = [
      '.', '-', '+', 'e5', '7e', '7e+', '--7', '+-7', '7-', '7 e2', '7.5.1', '.e1', '7n', '7_0', '1,000', '٧', '７', '0b1', '0o7',
      'NaN', '-Infinity', '1e309', '-1e400', 'null', '[7]', '7;', '7\0', '½',
    ];
    for (const text of none) expect([text, valueOf(slider, text)]).toEqual([text, 'refused']);
    const started = process.cpuUsage();
    for (const long of ['1'.repeat(200_000) + 'x', `${' '.repeat(200_000)}x`, '1.'.repeat(100_000)]) {
      expect(valueOf(slider, long)).toBe('refused');
    }
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(2_000);
  });

  it('counts null, and an empty text where none is wanted, as not given', () => {
    expect(check({ ...sound, steps: null, strength: '', tile: null, ratio: '', plain: '' }).values).toEqual({
      ...sound, steps: 20, tile: false, ink: '#000000', plain: '',
    });
    expect(faultsOf({ prompt: null })).toEqual({ 'variables.prompt': 'Required field missing' });
  });

  it('counts steps from the minimum, as far as binary fractions can tell', () => {
    const slider = (constraints: FormField['constraints']): FormField => ({ id: 'n', type: 'slider', constraints });
    expect(valueOf(slider({ min: 0, max: 1, step: 0.1 }), 0.3)).toBe(0.3);
    expect(valueOf(slider({ min: 0, max: 1, step: 0.1 }), 0.35)).toBe('refused');
    expect(valueOf(slider({ min: 1, step: 2 }), 5)).toBe(5);
    expect(valueOf(slider({ min: 1, step: 2 }), 4)).toBe('refused');
    expect(valueOf(slider({ step: 0.0001 }), 12345.6789)).toBe(12345.6789);
  });

  it('takes images by URL, as files of ours and by asset id', () => {
    const image: FormField = { id: 'i', type: 'image_loader' };
    for (const value of ['https://example.com/a.png', '/files/uploads/a.png?signature=1', '77']) {
      expect(valueOf(image, value)).toBe(value);
    }
    expect(valueOf(image, 77)).toBe('77');
    for (const value of ['javascript:alert(1)', 'a.png', '', { url: 'x' }]) expect(valueOf(image, value)).not.toEqual(value);
  });

  it('drops system values a caller sends, unless the form asks for them', () => {
    expect(check({ ...sound, hash: 'mine', user_id: 'me', seed: 7 })).toMatchObject({ faults: [] });
    expect(check({ ...sound, hash: 'mine' }).values).not.toHaveProperty('hash');
    expect(check({ seed: '7' }, { fields: [{ id: 'seed', type: 'input', input_type: 'integer' }] }).values).toEqual({ seed: 7 });
  });

  it('reads the older form of two groups', () => {
    const older: AuthoredForm = { main: [{ id: 'a', required: true }], advanced: [{ id: 'b', type: 'slider', default: 1 }] };
    expect(check({ a: 'x' }, older)).toEqual({ values: { a: 'x', b: 1 }, faults: [] });
    expect(check({ b: 2 }, older).faults).toEqual(
      [{ field: 'variables.a', message: 'Required field missing' }],
    );
  });

  it('is not misled by names that every object has', () => {
    const fields: AuthoredForm = { fields: [{ id: 'constructor', required: true }] };
    expect(check({}, fields).faults).toEqual(
      [{ field: 'variables.constructor', message: 'Required field missing' }],
    );
    expect(check({ toString: 'x' }, fields).faults.map(({ field }) => field)).toContain('variables.toString');
  });
});

describe('formSchema', () => {
  it('is a JSON Schema of draft 2020-12 that any client can read', () => {
    const schema = formSchema(form);
    const validate = new Ajv2020({ strict: false }).compile(schema);
    expect(validate({ ...sound, steps: 25 })).toBe(true);
    expect(validate({ ...sound, steps: 51 })).toBe(false);
    expect(validate({ ...sound, style: 'pencil' })).toBe(false);
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      required: ['prompt', 'style'],
      properties: {
        prompt: { title: 'Prompt', type: 'string', minLength: 1 },
        steps: { type: 'number', minimum: 5, maximum: 50, multipleOf: 5, default: 20 },
        style: { enum: ['ink', 'oil'] },
        tile: { type: 'boolean', default: false },
      },
    });
  });

  it('says how steps count where multipleOf cannot', () => {
    const field: FormField = { id: 'n', type: 'slider', constraints: { min: 1, max: 9, step: 2 } };
    expect(formSchema({ fields: [field] })).toMatchObject(
      { properties: { n: { 'x-step': { from: 1, by: 2 } } } },
    );
  });
});
